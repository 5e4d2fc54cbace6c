import { resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import { systemClock } from '../base/index.ts';
import { type CertificateFile, checkCertificateFiles } from '../certificates/index.ts';

const closed = { additionalProperties: false };

/** `certificates`: those that you bring in files. */
export const CertificatesConfig = Type.Object(
  {
    files: Type.Array(
      Type.Object(
        {
          name: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 100,
              description: 'what it is called (default: path of its chain)',
            }),
          ),
          certificate: Type.String({ minLength: 1, description: 'PEM file of the chain, leaf first' }),
          key: Type.String({ minLength: 1, description: 'PEM file of its private key, not encrypted' }),
        },
        closed,
      ),
      { default: [], description: 'certificates that something else renews: their files are watched and served' },
    ),
  },
  { ...closed, default: {} },
);

export function certificateFiles({ files }: Static<typeof CertificatesConfig>): CertificateFile[] {
  return files.map(({ name, certificate, key }, index) => ({
    name: name ?? resolve(certificate),
    certificate: resolve(certificate),
    key: resolve(key),
    field: `certificates.files[${index}]`,
  }));
}

/** What a start would say of them. */
export const tryCertificateFiles = (config: Static<typeof CertificatesConfig>): Promise<void> =>
  checkCertificateFiles(certificateFiles(config), systemClock.now());
