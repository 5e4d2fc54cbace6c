import type { ReactNode } from 'react';
import { useEffect } from 'react';
import { Link, useLocation } from 'wouter';

interface PageProps {
  readonly title: string;
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A page's head and body; the title is the document's too, so that a tab says where it is. */
export function Page({ title, lead, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Gatehouse`;
  }, [title]);
  return (
    <div className="shell-content">
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {lead !== undefined && <p>{lead}</p>}
        </div>
        {actions !== undefined && <div className="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** Tabs that are places: each has a path, so that it can be linked to and gone back from. */
export function Tabs({ label, tabs }: { label: string; tabs: readonly { path: string; title: string }[] }) {
  const [location] = useLocation();
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ path, title }) => (
        <Link key={path} href={path} {...(location === path && { 'aria-current': 'page' as const })}>
          {title}
        </Link>
      ))}
    </nav>
  );
}
