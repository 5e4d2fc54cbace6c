import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { crdValidators } from '../../../test/fixtures/kube-api.ts';
import { DEFAULT_ISSUER } from './settings.ts';

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

const manifests = readdirSync('deploy/k8s').flatMap((file) =>
  parseAllDocuments(readFileSync(`deploy/k8s/${file}`, 'utf8')).map((document) => {
    assert.deepEqual(document.errors, [], file);
    return document.toJS() as Manifest;
  }),
);

test('every manifest is one object of a kind, and the issuers fit their definition', () => {
  const issuers = manifests.filter(({ kind }) => kind === 'ClusterIssuer');
  const { validate } = crdValidators().get('clusterissuers')!;
  for (const issuer of issuers) assert.ok(validate(issuer), JSON.stringify(validate.errors));
  assert.deepEqual(issuers.map(({ metadata }) => metadata.name).sort(), [
    'letsencrypt-prod',
    'letsencrypt-prod-dns',
    'letsencrypt-staging',
  ]);
  assert.ok(issuers.some(({ metadata }) => metadata.name === DEFAULT_ISSUER.name));
  for (const { apiVersion, kind, metadata } of manifests) assert.ok(apiVersion && kind && metadata.name);
});
