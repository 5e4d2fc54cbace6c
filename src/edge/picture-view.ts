import type { OpenChallenge, PictureReader, Route, ServedCertificate } from '../picture/index.ts';

/** What changed in the picture since the last look. */
export interface PictureDelta {
  readonly hosts: ReadonlySet<string> | 'all';
  readonly certificates: ReadonlySet<string> | 'all';
}

/** A worker's view of one picture: reads on cold paths, and tells what to forget after each commit of the writer. */
export interface PictureView {
  /** Looks whether anything was committed (about a microsecond) and tells the followers what. */
  refresh(): void;
  follow(follower: (delta: PictureDelta) => void): void;
  certificatesFor(serverName: string): ServedCertificate[];
  routesOf(host: string): Route[];
  challenge(type: OpenChallenge['type'], label: string, now: number): OpenChallenge | undefined;
  expiries(): { id: string; names: string[]; notAfter: number }[];
  certificateCount(): number;
  close(): void;
}

export function createPictureView(reader: PictureReader): PictureView {
  const followers: ((delta: PictureDelta) => void)[] = [];
  let version = reader.dataVersion();
  let cursor = reader.latestChange();

  const delta = (): PictureDelta => {
    const changes = reader.changesSince(cursor);
    if (changes === undefined) {
      cursor = reader.latestChange();
      return { hosts: 'all', certificates: 'all' };
    }
    const hosts = new Set<string>();
    const certificates = new Set<string>();
    for (const { seq, kind, key } of changes) {
      (kind === 'route' ? hosts : certificates).add(key);
      cursor = seq;
    }
    return { hosts, certificates };
  };

  return {
    refresh() {
      const latest = reader.dataVersion();
      if (latest === version) return;
      const changed = delta();
      version = latest;
      for (const follower of followers) follower(changed);
    },
    follow: (follower) => void followers.push(follower),
    certificatesFor: (serverName) => reader.certificatesFor(serverName),
    routesOf: (host) => reader.routesOf(host),
    challenge: (type, label, now) => reader.challenge(type, label, now),
    expiries: () => reader.expiries(),
    certificateCount: () => reader.certificateCount(),
    close: () => reader.close(),
  };
}
