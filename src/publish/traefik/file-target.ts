import { chownSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Clock, Fault, faultOf } from '../../base/index.ts';
import type { ServedCertificate } from '../../picture/index.ts';
import type { PublishTarget } from '../publish-target.ts';
import { groupDigest, type RouteGroup } from '../route-group.ts';
import { renderBase } from './base.ts';
import type { Dynamic, TraefikSettings } from './dynamic.ts';
import { renderGroup } from './render.ts';

export interface TraefikFileSettings extends TraefikSettings {
  /** The directory that Traefik's file provider watches. Only files that begin with `gatehouse-` are ever touched. */
  readonly directory: string;
  /** The same directory as Traefik sees it, where it runs in a container of its own. */
  readonly seenAs?: string;
  /** Who owns the files, where Traefik runs as another user; only root can give files away. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly name?: string;
}

const PREFIX = 'gatehouse-';
const HEADER = /^# gatehouse (routes|certificate) (\S+) (\S+)\n/;
/** Equals no digest and no version, so the item is written again. */
const UNTRUSTED = '-';

type Kind = 'routes' | 'certificate';

const SAFE_ITEM = /^[a-z0-9]+_[a-z0-9_]+$/i;
// Traefik may still be reading a configuration that names the files of the version before.
const KEEP_REPLACED_MS = 60_000;

/**
 * Dynamic configuration in files: one for each group and one for each certificate, whose PEM files lie beside it. Each
 * file is written whole and renamed into place; its first line says which state it is, so a restart compares and writes
 * only what differs.
 */
export function createTraefikFileTarget(settings: TraefikFileSettings, clock: Clock): PublishTarget {
  const { directory } = settings;
  const held = new Map<string, string>();
  const replaced: { file: string; at: number }[] = [];
  const path = (file: string) => join(directory, file);
  const yamlFile = (item: string) => `${PREFIX}${item}.yml`;
  const pemFiles = (item: string, version: string) => {
    const stem = `${PREFIX}${item}-${version}`;
    return { chain: `${stem}.crt`, key: `${stem}.key` };
  };

  const writeWhole = (file: string, text: string) => {
    const draft = path(`.${file}.tmp`);
    writeFileSync(draft, text, { mode: 0o600 });
    if (settings.owner !== undefined) chownSync(draft, settings.owner.uid, settings.owner.gid);
    renameSync(draft, path(file));
  };
  const writeYaml = (kind: Kind, item: string, token: string, dynamic: Dynamic) =>
    writeWhole(yamlFile(item), `# gatehouse ${kind} ${item} ${token}\n${stringify(dynamic, { lineWidth: 0 })}`);

  const remove = (item: string) => {
    const token = held.get(item);
    rmSync(path(yamlFile(item)), { force: true });
    if (token !== undefined)
      for (const file of Object.values(pemFiles(item, token))) rmSync(path(file), { force: true });
    held.delete(item);
  };
  const putCertificate = ({ id, version, chain, key }: ServedCertificate) => {
    const before = held.get(id);
    const files = pemFiles(id, version);
    writeWhole(files.chain, chain);
    writeWhole(files.key, key);
    const seen = (file: string) => join(settings.seenAs ?? directory, file);
    writeYaml('certificate', id, version, {
      tls: { certificates: [{ certFile: seen(files.chain), keyFile: seen(files.key) }] },
    });
    held.set(id, version);
    if (before !== undefined && before !== version)
      for (const file of Object.values(pemFiles(id, before))) replaced.push({ file, at: clock.now() });
  };
  const putGroup = (group: RouteGroup) => {
    const token = groupDigest(group);
    writeYaml('routes', group.id, token, renderGroup(group, settings));
    held.set(group.id, token);
  };
  const putBase = () => {
    const base = renderBase(settings);
    if (Object.keys(base).length > 0) writeWhole(`${PREFIX}base.yml`, stringify(base, { lineWidth: 0 }));
    else rmSync(path(`${PREFIX}base.yml`), { force: true });
  };
  const dropReplaced = () => {
    while (replaced.length > 0 && replaced[0]!.at + KEEP_REPLACED_MS <= clock.now())
      rmSync(path(replaced.shift()!.file), { force: true });
  };

  return {
    name: settings.name ?? 'traefik-files',
    async inventory() {
      return reached(directory, async () => {
        mkdirSync(directory, { recursive: true, mode: 0o750 });
        held.clear();
        const files = new Set(readdirSync(directory));
        for (const file of files) {
          const item = itemOf(file);
          if (item === undefined) continue;
          const { kind, token } = await readHeader(path(file), item);
          const pems = Object.values(pemFiles(item, token));
          held.set(item, kind === 'routes' || (await areWhole(pems.map(path))) ? token : UNTRUSTED);
        }
        const wanted = new Set([...held].flatMap(([item, token]) => Object.values(pemFiles(item, token))));
        const leftOver = (file: string) =>
          file.startsWith(`.${PREFIX}`) || (/\.(crt|key)$/.test(file) && file.startsWith(PREFIX) && !wanted.has(file));
        for (const file of files) if (leftOver(file)) rmSync(path(file), { force: true });
        putBase();
        return held.keys();
      });
    },
    holds: (item) => held.get(item),
    async deliver({ groups, certificates, gone }) {
      return reached(directory, async () => {
        const refused = new Map<string, Fault>();
        const attempt = (item: string, work: () => void) => {
          if (!SAFE_ITEM.test(item)) return;
          try {
            work();
          } catch (error) {
            if (!(error instanceof Fault)) throw error;
            // A route that now demands something (a client certificate) must not go on without it.
            remove(item);
            refused.set(item, error);
          }
        };
        for (const item of gone) attempt(item, () => remove(item));
        for (const certificate of certificates) attempt(certificate.id, () => putCertificate(certificate));
        for (const group of groups) attempt(group.id, () => putGroup(group));
        dropReplaced();
        return refused;
      });
    },
  };
}

function itemOf(file: string): string | undefined {
  if (!file.startsWith(PREFIX) || !file.endsWith('.yml')) return undefined;
  const item = file.slice(PREFIX.length, -'.yml'.length);
  return SAFE_ITEM.test(item) ? item : undefined;
}

async function beginning(file: string, length: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** What the first line of a file says, unless somebody else wrote it. */
async function readHeader(file: string, item: string): Promise<{ kind: Kind; token: string }> {
  const [, kind, named, token] = HEADER.exec(await beginning(file, 256)) ?? [];
  return { kind: kind === 'certificate' ? kind : 'routes', token: named === item && token ? token : UNTRUSTED };
}

/** Files are not flushed one by one, so after a power cut one may be there without its content. */
async function areWhole(pemFiles: readonly string[]): Promise<boolean> {
  const starts = await Promise.all(pemFiles.map((file) => beginning(file, 11).catch(() => '')));
  return starts.every((start) => start === '-----BEGIN ');
}

async function reached<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault(
      {
        code: 'directory_unwritable',
        detail: `${directory} could not be written: ${faultOf(error).details.detail}`,
        party: 'operator',
        retry: 'backoff',
        advice: 'see that the directory is there, that Gatehouse may write it, and that its disk is not full',
      },
      error,
    );
  }
}
