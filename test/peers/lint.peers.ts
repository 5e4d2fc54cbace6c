import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { needGoProgram } from '../fixtures/go.ts';
import { type LintSample, makeLintSamples } from '../fixtures/lint-samples.ts';
import { needPypiProgram } from '../fixtures/pypi.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

/** Finding -> kinds of samples where it was made; `leaf` stands for every leaf. */
type Findings = Map<string, Set<string>>;

const run = promisify(execFile);

/** What the document lists: rows of `| linter | finding | where | why |`. */
function listed(): Findings {
  const text = readFileSync('docs/acme-lint.md', 'utf8');
  const rows = text.split('<!-- findings -->\n')[1]!.split('<!-- /findings -->')[0]!.trim().split('\n').slice(2);
  return new Map(
    rows.map((row) => {
      const [, linter = '', finding = '', where = ''] = row.split('|').map((cell) => cell.trim());
      return [`${linter} ${finding.replaceAll('`', '')}`, new Set(where.split(', '))];
    }),
  );
}

const PKILINT: Record<LintSample['kind'], readonly (readonly string[])[]> = {
  root: [['lint_pkix_cert'], ['lint_cabf_serverauth_cert', '-t', 'ROOT-CA']],
  intermediate: [['lint_pkix_cert'], ['lint_cabf_serverauth_cert', '-t', 'INTERNAL-UNCONSTRAINED-TLS-CA']],
  leaf: [['lint_pkix_cert'], ['lint_cabf_serverauth_cert', '-t', 'DV-FINAL-CERTIFICATE']],
  crl: [
    ['lint_crl', '-t', 'CRL', '-p', 'PKIX'],
    ['lint_crl', '-t', 'CRL', '-p', 'BR'],
  ],
  ocsp: [['lint_ocsp_response']],
  responder: [['lint_pkix_cert'], ['lint_cabf_serverauth_cert', '-t', 'OCSP-RESPONDER']],
};

interface PkilintReport {
  readonly results: readonly { readonly finding_descriptions: readonly { readonly code: string }[] }[];
}

async function pkilint(bin: string, { kind, file }: LintSample): Promise<string[]> {
  const codes: string[] = [];
  for (const [tool = '', ...options] of PKILINT[kind]) {
    const command = [join(bin, tool), 'lint', ...options, '-s', 'WARNING', '-f', 'JSON', file];
    // The exit status is the number of findings.
    const { stdout } = await run(join(bin, 'python'), command).catch((error: { stdout: string }) => error);
    const { results } = JSON.parse(stdout) as PkilintReport;
    for (const { finding_descriptions } of results) codes.push(...finding_descriptions.map(({ code }) => code));
  }
  return codes;
}

async function zlint(program: string, { file }: LintSample): Promise<string[]> {
  const { stdout } = await run(program, ['-format', 'der', file]);
  const results = JSON.parse(stdout) as Record<string, { result: string }>;
  return Object.entries(results).flatMap(([name, { result }]) =>
    ['warn', 'error', 'fatal'].includes(result) ? [name] : [],
  );
}

/** `leaf` when it was found in every leaf, else the names of those where it was. */
function place(found: Map<string, LintSample[]>, leaves: number): Findings {
  return new Map(
    [...found].map(([finding, samples]) => {
      const isEvery = samples.filter(({ kind }) => kind === 'leaf').length === leaves;
      return [finding, new Set(samples.map(({ kind, name }) => (isEvery && kind === 'leaf' ? 'every leaf' : name)))];
    }),
  );
}

test('linters find nothing in what the CA signs but what docs/acme-lint.md lists', async (t) => {
  const python = needPypiProgram(t, 'lint_pkix_cert', 'pkilint==0.13.3');
  const zlintProgram = needGoProgram(t, 'zlint', 'github.com/zmap/zlint/v3/cmd/zlint', 'v3.7.3');
  if (python === undefined || zlintProgram === undefined) return;
  const samples = await makeLintSamples(temporaryDirectory(t));
  const found = new Map<string, LintSample[]>();
  const note = (linter: string, sample: LintSample, codes: readonly string[]) => {
    for (const code of new Set(codes)) {
      const finding = `${linter} ${code}`;
      found.set(finding, [...(found.get(finding) ?? []), sample]);
    }
  };
  for (const sample of samples) {
    note('pkilint', sample, await pkilint(dirname(python), sample));
    if (sample.kind !== 'ocsp') note('zlint', sample, await zlint(zlintProgram, sample));
  }
  assert.deepEqual(place(found, samples.filter(({ kind }) => kind === 'leaf').length), listed());
});
