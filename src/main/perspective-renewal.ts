import { X509Certificate } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import { createRemotePerspective, type Perspective } from '../acme-server/index.ts';
import { errorText, type Logger } from '../base/index.ts';
import {
  certifyIdentity,
  hostOf,
  type Identity,
  type IdentityDeps,
  type PerspectiveBundle,
  peerPin,
  writeBundle,
} from './perspective-identity.ts';

export interface Perspectives {
  readonly all: readonly Perspective[];
  /** One look at each; does what is due. */
  keep(): Promise<void>;
  /** Looks every hour, until aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Those that could not be given their next certificates, until they have them. */
  findings(): readonly { readonly detail: string; readonly advice: string }[];
}

interface Deps extends IdentityDeps {
  readonly log: Logger;
  /** Who carries questions; tests whose clock is not that of OpenSSL carry them otherwise. */
  readonly connect?: typeof createRemotePerspective;
}

/** The two sides of one connection, certified together, and the root above them. */
interface Pair {
  readonly asker: Identity;
  readonly own: Identity;
  readonly root: string;
}

/** A perspective as the asker knows it. */
interface Link {
  readonly remote: ReturnType<typeof createRemotePerspective>;
  readonly file: string;
  /** What both sides speak with, as far as the asker knows. */
  current: Pair;
  /** Made last, and to be handed over where it is not the current one. */
  newest: Pair;
  /** Whether the perspective is known to have the newest. */
  given: boolean;
  /** The last certificate that it has shown ends then; undefined: none since this start. */
  shownUntil?: number;
  failure?: string;
}

const HOUR = 3_600_000;
const MONTH = 30 * 24 * HOUR;
const ASKER = 'asker';

/** Whether a pair is to be followed by another: a third of its life is left, or other roots are trusted by now. */
export function isDue({ asker, own, root }: Pair, rootNow: string, now: number): boolean {
  return (
    root !== rootNow || [asker, own].some(({ notBefore, notAfter }) => notAfter - now <= (notAfter - notBefore) / 3)
  );
}

/**
 * The perspectives of the configuration, each with an identity by our own CA. Both sides know the other by its key as
 * well, since names under this CA can be had by others. The keys stay; the certificates of both are made anew at each
 * start and when a third of their life is left, and handed over by the connection that they are for. The first comes
 * by a file.
 */
export async function openPerspectives(
  configured: readonly { readonly name: string; readonly url: string }[],
  dataDir: string,
  deps: Deps,
): Promise<Perspectives> {
  const { clock, ca, log, connect = createRemotePerspective } = deps;
  const directory = join(dataDir, 'perspectives');
  if (configured.length > 0) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const links: Link[] = [];
  for (const { name, url } of configured) {
    const newest = await certify(name);
    const link: Link = {
      remote: connect(name, url, () => tlsOf(link)),
      file: join(directory, `${name}.json`),
      current: newest,
      newest,
      given: false,
    };
    writeBundle(link.file, bundleOf(link));
    links.push(link);
  }

  async function certify(name: string): Promise<Pair> {
    const root = ca.rootPem();
    return { root, asker: await certifyIdentity(deps, ASKER), own: await certifyIdentity(deps, `perspective-${name}`) };
  }

  async function keepOne(link: Link): Promise<void> {
    const { name } = link.remote;
    try {
      if (isDue(link.newest, ca.rootPem(), clock.now())) {
        link.newest = await certify(name);
        link.given = false;
        writeBundle(link.file, bundleOf(link));
      }
      if (link.given) return;
      const { key: _, ...offered } = bundleOf(link);
      await link.remote.handOver(offered);
      isGiven(link);
      log.info({ perspective: name, until: link.newest.own.notAfter }, 'a perspective has its next certificates');
    } catch (error) {
      link.failure = errorText(error);
      const level = link.shownUntil !== undefined && link.shownUntil - clock.now() < MONTH ? 'error' : 'warn';
      const { detail, advice } = findingOf(link);
      log[level]({ perspective: name, advice }, detail);
    }
  }

  const keep = async () => void (await Promise.all(links.map(keepOne)));
  return {
    all: links.map(({ remote }) => remote),
    keep,
    async run(signal) {
      while (links.length > 0 && !signal.aborted) {
        await keep();
        await clock.sleep(HOUR, signal).catch(() => {});
      }
    },
    findings: () => links.filter(({ failure }) => failure !== undefined).map(findingOf),
  };
}

function isGiven(link: Link): void {
  link.current = link.newest;
  link.given = true;
  link.shownUntil = link.newest.own.notAfter;
  delete link.failure;
}

function tlsOf(link: Link): RequestOptions {
  const { asker, own, root } = link.current;
  return {
    cert: asker.chain,
    key: asker.key,
    ca: root,
    servername: hostOf(`perspective-${link.remote.name}`),
    checkServerIdentity: (_, peer) => {
      if (peerPin(peer) !== own.pin) return new Error(`it is not the perspective ${link.remote.name}`);
      const shown = new X509Certificate(peer.raw);
      link.shownUntil = shown.validToDate.getTime();
      // Somebody has carried the file.
      if (shown.raw.equals(new X509Certificate(link.newest.own.chain).raw)) isGiven(link);
      return undefined;
    },
  };
}

const bundleOf = ({ remote: { name }, newest: { asker, own, root } }: Link): PerspectiveBundle => ({
  name,
  certificate: own.chain,
  key: own.key,
  root,
  asker: asker.pin,
});

function findingOf({ remote: { name }, failure, shownUntil, file }: Link): { detail: string; advice: string } {
  const ends = shownUntil === undefined ? '' : `; the one that it has ends at ${new Date(shownUntil).toISOString()}`;
  return {
    detail: `the perspective ${name} could not be given its certificate: ${failure}${ends}`,
    advice: `it is tried again every hour; or copy ${file} to its machine, and start "gatehouse ca perspective" again`,
  };
}
