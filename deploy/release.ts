// npm run release -- [--to DIR] [--archive]
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, string>;

const PRODUCT = [
  'bin',
  'src',
  'web/dist',
  'deploy',
  'docs',
  'examples',
  'package.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
];

/** What only those who build or debug a package read. */
const NOT_NEEDED = /\.(map|d\.[cm]?ts|test\.ts|flow|tsbuildinfo)$/;

/** The packages that run with the product, as npm resolves them: paths from the checkout's root, the parents first. */
function packages(): string[] {
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable', '--workspaces=false'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return listed
    .split('\n')
    .map((path) => relative(ROOT, path))
    .filter((path) => path.startsWith('node_modules/') && !isRuntime(path))
    .sort();
}

/** The package `node` holds the binary twice; the release takes it once, by its own name. */
const isRuntime = (path: string) => path.startsWith('node_modules/node/');

/** A package without those nested in it: these stand in the list by themselves, or are not needed. */
const copyPackage = (path: string, to: string) =>
  cpSync(join(ROOT, path), join(to, path), {
    recursive: true,
    filter: (source) => !NOT_NEEDED.test(source) && (basename(source) !== 'node_modules' || source.endsWith(path)),
  });

/** Writes the product with its packages and its own Node.js to `directory`: a tree that needs nothing else installed. */
function release(directory: string): void {
  if (!existsSync(join(ROOT, 'web/dist/index.html')))
    throw new Error('the console is not built: npm run console:build');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  for (const part of PRODUCT)
    cpSync(join(ROOT, part), join(directory, part), { recursive: true, filter: (source) => !NOT_NEEDED.test(source) });
  for (const path of packages()) copyPackage(path, directory);
  cpSync(join(ROOT, 'node_modules/node/bin/node'), join(directory, 'node_modules/node/bin/node'));
}

const { values } = parseArgs({ options: { to: { type: 'string', default: 'release' }, archive: { type: 'boolean' } } });
const to = resolve(values.to);
const directory = join(to, name as string);
release(directory);
console.log(directory);
if (values.archive) {
  const archive = join(to, `${name}-${version}-${process.platform}-${process.arch}.tar.gz`);
  execFileSync('tar', ['--owner=0', '--group=0', '-czf', archive, '-C', to, name as string]);
  console.log(archive);
}
