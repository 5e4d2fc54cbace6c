import { useVirtualizer } from '@tanstack/react-virtual';
import { type CSSProperties, type ReactNode, useEffect, useRef, useState } from 'react';
import { Button } from 'react-aria-components';

interface VirtualListProps<Row> {
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  readonly columns: string;
  readonly head: readonly string[];
  readonly render: (row: Row) => ReactNode;
  /** What a row shows below itself when it is opened, and what the button that opens it says. */
  readonly detail?: { readonly summary: (row: Row) => string; readonly render: (row: Row) => ReactNode };
  readonly label: string;
  /** Asked for when the end comes near. */
  readonly more?: (() => void) | undefined;
  readonly rowHeight?: number;
}

/** Rows by the ten thousand: only those in view are in the page, and the server is asked for more near the end. */
export function VirtualList<Row>(props: VirtualListProps<Row>) {
  const { rows, more, rowHeight = 52, columns, detail } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => props.rowKey(rows[index]!),
    overscan: 12,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more !== undefined && last >= rows.length - 40) more();
  }, [more, last, rows.length]);
  const toggle = (key: string) =>
    setOpen((before) => (before.has(key) ? without(before, key) : new Set([...before, key])));
  const style = { '--columns': detail === undefined ? columns : `${columns} 104px` } as CSSProperties;
  return (
    <section className="card flush" aria-label={props.label}>
      <div className="vhead" aria-hidden="true" style={style}>
        {props.head.map((title) => (
          <div key={title}>{title}</div>
        ))}
        {detail !== undefined && <div />}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is scrolled by the keyboard too (WCAG 2.1.1) */}
      <div className="vlist" ref={scroller} tabIndex={0} style={{ height: Math.min(virtual.getTotalSize() + 2, 760) }}>
        <ul style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, start, key }) => {
            const row = rows[index]!;
            const id = props.rowKey(row);
            return (
              <li
                key={key}
                ref={virtual.measureElement}
                data-index={index}
                className="vitem"
                aria-setsize={rows.length}
                aria-posinset={index + 1}
                style={{ transform: `translateY(${start}px)` }}
              >
                <div className="vrow" style={{ ...style, minHeight: rowHeight }}>
                  {props.render(row)}
                  {detail !== undefined && (
                    <Button className="button small plain" aria-expanded={open.has(id)} onPress={() => toggle(id)}>
                      {open.has(id) ? 'Less' : detail.summary(row)}
                    </Button>
                  )}
                </div>
                {open.has(id) && <div className="vdetail">{detail?.render(row)}</div>}
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}

const without = (set: ReadonlySet<string>, key: string) => new Set([...set].filter((each) => each !== key));
