import { useVirtualizer } from '@tanstack/react-virtual';
import { type CSSProperties, type ReactNode, useEffect, useRef } from 'react';

interface VirtualListProps<Row> {
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly columns: string;
  readonly head: readonly string[];
  readonly render: (row: Row) => ReactNode;
  readonly label: string;
  /** Asked for when the end comes near. */
  readonly more?: (() => void) | undefined;
  readonly rowHeight?: number;
}

/** Rows by the ten thousand: only those in view are in the page, and the server is asked for more near the end. */
export function VirtualList<Row>(props: VirtualListProps<Row>) {
  const { rows, more, rowHeight = 52, columns } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more !== undefined && last >= rows.length - 40) more();
  }, [more, last, rows.length]);
  return (
    <section className="card flush" aria-label={props.label}>
      <div className="vhead" aria-hidden="true" style={{ '--columns': columns } as CSSProperties}>
        {props.head.map((title) => (
          <div key={title}>{title}</div>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is scrolled by the keyboard too (WCAG 2.1.1) */}
      <div className="vlist" ref={scroller} tabIndex={0} style={{ height: Math.min(rows.length * rowHeight + 2, 760) }}>
        <ul style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start, key }) => (
            <li
              key={key}
              className="vrow"
              aria-setsize={rows.length}
              aria-posinset={index + 1}
              style={{ '--columns': columns, height: rowHeight, transform: `translateY(${start}px)` } as CSSProperties}
            >
              {props.render(rows[index]!)}
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
