import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import { call } from '../api/client.ts';
import { useSession } from '../api/session.tsx';
import { ThemeButton } from './theme.tsx';

interface Place {
  readonly path: string;
  readonly title: string;
  /** Any one of these lets a person in. */
  readonly permissions: readonly string[];
}

export const PLACES: readonly Place[] = [
  { path: '/app', title: 'Overview', permissions: [] },
  { path: '/app/domains', title: 'Domains', permissions: ['apps.read'] },
  { path: '/app/system/ingress', title: 'Ingress', permissions: ['system.ingress.read', 'system.ingress.manage'] },
  { path: '/app/system/acme', title: 'Certificates & ACME', permissions: ['system.acme.read'] },
  { path: '/app/system/network', title: 'Network', permissions: ['system.network.manage'] },
  { path: '/app/missions', title: 'Missions', permissions: ['missions.approve', 'system.ingress.read'] },
  { path: '/app/audit', title: 'Audit', permissions: ['audit.read'] },
  { path: '/app/tokens', title: 'Tokens', permissions: ['tokens.manage'] },
  { path: '/app/settings', title: 'Settings', permissions: [] },
];

/** Whether a path is a place's own or below it; the overview is only itself. */
const isAt = (location: string, { path }: Place) =>
  location === path || (path !== '/app' && location.startsWith(`${path}/`));

export function Navigation() {
  const [location] = useLocation();
  const [open, setOpen] = useState(false);
  const session = useSession();
  const signOut = async () => {
    await call('DELETE', '/session').catch(() => {});
    window.location.assign('/app');
  };
  return (
    <>
      <div className="shell-bar">
        <Brand />
        <Button className="button" onPress={() => setOpen(!open)} aria-expanded={open} aria-controls="navigation">
          {open ? 'Close' : 'Menu'}
        </Button>
      </div>
      <nav className="shell-nav" id="navigation" data-open={open} aria-label="Main">
        <Brand />
        {PLACES.map((place) => (
          <Link
            key={place.path}
            href={place.path}
            className="item"
            onClick={() => setOpen(false)}
            {...(isAt(location, place) && { 'aria-current': 'page' as const })}
          >
            {place.title}
          </Link>
        ))}
        <div className="spacer" />
        <ThemeButton />
        <p className="quiet" style={{ padding: '8px 10px' }}>
          Signed in as <strong>{session.display_name}</strong>
        </p>
        <Button className="button" onPress={() => void signOut()}>
          Sign out
        </Button>
      </nav>
    </>
  );
}

const Brand = () => (
  <Link href="/app" className="shell-brand">
    <img src="/favicon.svg" alt="" />
    Gatehouse
  </Link>
);
