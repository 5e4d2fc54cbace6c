import { type ReactNode, useState } from 'react';
import { Button } from 'react-aria-components';
import { useChange, useList } from '../../api/hooks.ts';
import { Confirm } from '../../components/dialog.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import type { Kind } from './kinds.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
}

/** One kind of the network, with a way to take each away again. */
export function Table<Row extends { id: string }>({ kind, columns }: { kind: Kind; columns: readonly Column<Row>[] }) {
  const list = useList<Row>(kind.path);
  const [removing, setRemoving] = useState<Row>();
  const remove = useChange();
  if (list.data !== undefined && list.rows.length === 0)
    return (
      <Empty title={`No ${kind.noun} yet`}>
        <p>{kind.none}</p>
      </Empty>
    );
  return (
    <Loaded query={list}>
      {() => (
        <section className="card flush">
          <table className="rows">
            <thead>
              <tr>
                {columns.map(({ title }) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
                <th scope="col">
                  <span className="visually-hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {list.rows.map((row) => (
                <tr key={row.id}>
                  {columns.map(({ title, cell }) => (
                    <td key={title} data-label={title}>
                      {cell(row)}
                    </td>
                  ))}
                  <td>
                    <Button className="button small danger" onPress={() => setRemoving(row)}>
                      Remove
                    </Button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {removing !== undefined && (
            <Confirm
              title={`Remove this ${kind.noun}`}
              consequence={kind.consequence}
              action="Remove"
              open
              busy={remove.isPending}
              problem={remove.error}
              onClose={() => {
                setRemoving(undefined);
                remove.reset();
              }}
              onConfirm={() =>
                remove.mutate({
                  method: 'DELETE',
                  path: `${kind.path}/${removing.id}`,
                  onDone: () => setRemoving(undefined),
                })
              }
            />
          )}
          {list.hasNextPage && (
            <Button className="button plain" onPress={() => void list.fetchNextPage()}>
              Show more
            </Button>
          )}
        </section>
      )}
    </Loaded>
  );
}
