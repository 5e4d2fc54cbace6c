const WIDTH = 240;
const HEIGHT = 40;

/** A line of the last values; its newest and highest are told to who cannot see it. */
export function Sparkline({ values, label, tone }: { values: readonly number[]; label: string; tone: string }) {
  const most = Math.max(1, ...values);
  const points = values.map((value, i) => {
    const x = values.length < 2 ? WIDTH : (i / (values.length - 1)) * WIDTH;
    return `${x.toFixed(1)},${(HEIGHT - 2 - (value / most) * (HEIGHT - 6)).toFixed(1)}`;
  });
  const words = `${label}: now ${values.at(-1) ?? 0}, at most ${values.length === 0 ? 0 : Math.max(...values)}`;
  return (
    <svg
      className={`sparkline ${tone}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={words}
    >
      <title>{words}</title>
      <line x1="0" x2={WIDTH} y1={HEIGHT - 1} y2={HEIGHT - 1} />
      {points.length > 1 && (
        <>
          <polygon points={`0,${HEIGHT - 1} ${points.join(' ')} ${WIDTH},${HEIGHT - 1}`} />
          <polyline points={points.join(' ')} />
        </>
      )}
    </svg>
  );
}
