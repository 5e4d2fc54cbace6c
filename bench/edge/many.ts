import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pictureFile } from '../../src/main/control-start.ts';
import { createPictureReader, createPictureWriter } from '../../src/picture/index.ts';
import { createSealer, loadMasterKeys } from '../../src/secrets/index.ts';

type Changed = Readonly<Record<string, string>>;

/**
 * Multiplies the one domain of a stopped `gatehouse up`, with its certificate, by copies of its rows: as many names,
 * certificates and versions as if each had been asked for, with one key and one chain. `i` is the number of the copy.
 */
export function multiplyDomain(path: string, copies: number, name: (i: string) => string): void {
  const db = new DatabaseSync(path);
  const copy = (table: string, changed: Changed, where: string) => {
    const columns = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all() as { name: string }[];
    const names = columns.map((column) => `"${column.name}"`);
    const values = columns.map((column) => changed[column.name] ?? `t."${column.name}"`);
    db.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${copies})
       INSERT INTO ${table} (${names.join(', ')}) SELECT ${values.join(', ')} FROM n, ${table} t WHERE ${where}`,
    );
  };
  const one = db.prepare('SELECT id, certificate_id AS certificate FROM domain').get() as Record<string, string>;
  const [domain, certificate] = [one.id!, one.certificate!];
  const number = "printf('%06d', i)";
  const crt = `'crt_copy' || ${number}`;
  const ver = `'ver_copy' || ${number}`;
  const host = name(number);
  db.exec('BEGIN');
  copy('domain', { id: `'dom_copy' || ${number}`, name: host, certificate_id: crt }, `t.id = '${domain}'`);
  copy(
    'certificate',
    { id: crt, identity: `t.identity || ${number}`, names: `json_array(${host})`, served_version_id: ver },
    `t.id = '${certificate}'`,
  );
  copy('certificate_name', { name: host, certificate_id: crt }, `t.certificate_id = '${certificate}'`);
  copy(
    'certificate_version',
    {
      id: ver,
      certificate_id: crt,
      serial: `t.serial || ${number}`,
      fingerprint: `t.fingerprint || ${number}`,
      key_digest: `t.key_digest || ${number}`,
    },
    `t.id = (SELECT served_version_id FROM certificate WHERE id = '${certificate}')`,
  );
  copy(
    'certificate_reference',
    { certificate_id: crt, reference: `'domain:dom_copy' || ${number}` },
    `t.certificate_id = '${certificate}'`,
  );
  db.exec('COMMIT');
  db.close();
}

/** The same copies in the edge's picture, sealed each on its own, as the publisher would leave them. */
export function publishCopies(dataDir: string, copies: number, name: (i: number) => string): void {
  const sealer = createSealer(loadMasterKeys({ file: join(dataDir, 'master.key') }));
  const reader = createPictureReader(pictureFile(dataDir), sealer);
  const [one] = reader.certificatesFor('first.localhost');
  reader.close();
  if (one === undefined) throw new Error('the first name is not served');
  const picture = createPictureWriter(pictureFile(dataDir), sealer);
  picture.batch(() => {
    for (let i = 1; i <= copies; i++) {
      const number = String(i).padStart(6, '0');
      picture.putCertificate({ ...one, id: `crt_copy${number}`, version: `ver_copy${number}`, names: [name(i)] });
    }
  });
  picture.close();
}

export function countServed(dataDir: string): number {
  const db = new DatabaseSync(pictureFile(dataDir), { readOnly: true });
  const { n } = db.prepare('SELECT count(*) AS n FROM certificate').get() as { n: number };
  const { r } = db.prepare('SELECT count(DISTINCT host) AS r FROM route').get() as { r: number };
  db.close();
  return Math.min(n, r);
}
