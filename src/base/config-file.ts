import { createRequire } from 'node:module';
import type { ErrorObject } from 'ajv/dist/2020.js';
import type { Static, TSchema } from 'typebox';
import type { Document, Node, YAMLMap } from 'yaml';
import { Fault, type FaultDetails } from './fault.ts';

// Loaded when a file is read: a worker reads none, and would keep ten megabytes for them.
const require = createRequire(import.meta.url);
const ajvModule = (): typeof import('ajv/dist/2020.js') => require('ajv/dist/2020.js');
const yaml = (): typeof import('yaml') => require('yaml');

// Larger than any file a person keeps, small enough to refuse a mistaken path at once.
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Reads YAML text against a JSON Schema. Defaults of the schema are filled in. Throws a `Fault` of code
 * `invalid_config` whose `problems` each say file, line, column, key and the accepted values.
 */
export function parseConfig<Schema extends TSchema>(schema: Schema, text: string, file: string): Static<Schema> {
  return parsePlacedConfig(schema, text, file).config;
}

export interface PlacedConfig<T> {
  readonly config: T;
  /** `file:line:column` of a field such as `listeners[0].tls.names`, or of the nearest that is written. */
  place(field: string): string;
}

/** The same, with the places of its fields, for what a schema cannot say. */
export function parsePlacedConfig<Schema extends TSchema>(
  schema: Schema,
  text: string,
  file: string,
): PlacedConfig<Static<Schema>> {
  if (Buffer.byteLength(text) > MOST_BYTES)
    throw refuse(file, [problem(`${file}: larger than ${MOST_BYTES} bytes, so it is no configuration`)]);
  const { document, place } = readDocument(text, file);
  if (document.errors.length > 0)
    throw refuse(
      file,
      document.errors.map((error) => problem(`${place(error.pos[0])}: ${withoutPlace(error.message)}`)),
    );
  const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
  const ajv = new (ajvModule().Ajv2020)({
    allErrors: true,
    useDefaults: true,
    strict: false,
    verbose: true,
    discriminator: true,
  });
  const validate = ajv.compile(schema);
  if (validate(value)) return { config: value as Static<Schema>, place: placesOf(text, file) };
  const problems = distinct(validate.errors ?? []).map((error) => {
    const segments = error.instancePath.split('/').slice(1).map(unescapePointer);
    const extra = extraKey(error);
    const key = keyPath(extra === undefined ? segments : [...segments, extra]);
    const at = place(offsetOf(document.contents, segments, extra));
    return problem(`${at}: ${key === '' ? 'the file' : key}: ${reason(error)}`, key);
  });
  throw refuse(file, problems);
}

function readDocument(text: string, file: string): { document: Document; place(offset: number): string } {
  const lines = new (yaml().LineCounter)();
  // Aliases are not expanded beyond a hundred, which is what keeps a "billion laughs" file small (YAML 1.2 §7.1).
  const document = yaml().parseDocument(text, { lineCounter: lines, strict: true, uniqueKeys: true });
  return {
    document,
    place(offset) {
      const { line, col } = lines.linePos(offset);
      return `${file}:${line}:${col}`;
    },
  };
}

/** Reads the text again when asked: of a file that names ten thousand certificates, its tree would be 40 MB kept. */
const placesOf = (text: string, file: string) => (field: string) => {
  const { document, place } = readDocument(text, file);
  const segments = field.split(/[.[\]]+/).filter((segment) => segment !== '');
  return place(offsetOf(document.contents, segments));
};

/** The parser's words; it says line and column again, after them. */
const withoutPlace = (message: string) => message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '');

/** One error for each place: alternatives that are single words become one list of them. */
function distinct(errors: readonly ErrorObject[]): ErrorObject[] {
  const isChoice = ({ keyword }: ErrorObject) => keyword === 'anyOf' || keyword === 'oneOf';
  const plain = errors.filter((error) => !isChoice(error) && error.keyword !== 'const');
  for (const error of errors.filter(({ keyword }) => keyword === 'const')) {
    const same = plain.find(({ keyword, instancePath }) => keyword === 'enum' && instancePath === error.instancePath);
    if (same === undefined)
      plain.push({ ...error, keyword: 'enum', params: { allowedValues: [error.params.allowedValue] } });
    else (same.params.allowedValues as unknown[]).push(error.params.allowedValue);
  }
  return plain.length > 0 ? plain : [...errors];
}

const unescapePointer = (segment: string) => segment.replaceAll('~1', '/').replaceAll('~0', '~');

function extraKey({ keyword, params }: ErrorObject): string | undefined {
  if (keyword === 'additionalProperties') return params.additionalProperty as string;
  if (keyword === 'unevaluatedProperties') return params.unevaluatedProperty as string;
  return undefined;
}

/** `listeners[0].tls.mode`, as a person would say it. */
function keyPath(segments: readonly string[]): string {
  return segments.reduce(
    (path, segment) => (/^\d+$/.test(segment) ? `${path}[${segment}]` : path === '' ? segment : `${path}.${segment}`),
    '',
  );
}

function reason({ keyword, params, message, data, parentSchema }: ErrorObject): string {
  const given = JSON.stringify(data)?.slice(0, 80);
  switch (keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const known = Object.keys((parentSchema as { properties?: object }).properties ?? {});
      return `there is no such key here${known.length > 0 ? `; there are ${known.join(', ')}` : ''}`;
    }
    case 'required':
      return `${params.missingProperty as string} is missing`;
    case 'enum':
      return `${given} is not one of ${(params.allowedValues as unknown[]).join(', ')}`;
    case 'type':
      return `${given} is not of type ${String(params.type)}`;
    case 'discriminator':
      return `${params.tag as string} is not one of ${tagValues(parentSchema, params.tag as string).join(', ')}`;
    case 'pattern':
    case 'format': {
      const description = (parentSchema as { description?: string }).description;
      return `${given} is not ${description ?? message}`;
    }
    default:
      return `${given} ${message ?? 'is not accepted'}`;
  }
}

/** The words by which the alternatives of a union are told apart. */
function tagValues(schema: unknown, tag: string): unknown[] {
  const { oneOf = [] } = schema as { oneOf?: { properties?: Record<string, { const?: unknown }> }[] };
  return oneOf.map(({ properties }) => properties?.[tag]?.const);
}

/** Where the value at a path begins; with `extra`, where that key of it is written. */
function offsetOf(root: unknown, segments: readonly string[], extra?: string): number {
  let node = root as Node | null;
  for (const segment of segments) {
    const next = yaml().isMap(node)
      ? pairOf(node, segment)?.value
      : yaml().isSeq(node)
        ? node.items[Number(segment)]
        : undefined;
    if (!yaml().isNode(next)) break;
    node = next;
  }
  const key = extra !== undefined && yaml().isMap(node) ? pairOf(node, extra)?.key : undefined;
  return (yaml().isNode(key) ? key : node)?.range?.[0] ?? 0;
}

const pairOf = (map: YAMLMap, name: string) =>
  map.items.find(({ key }) => yaml().isScalar(key) && String(key.value) === name);

const problem = (detail: string, field?: string): FaultDetails => ({
  code: 'invalid_config',
  detail,
  party: 'operator',
  retry: 'never',
  field,
});

function refuse(file: string, problems: readonly FaultDetails[]): Fault {
  return new Fault({
    code: 'invalid_config',
    detail: problems.map(({ detail }) => detail).join('\n'),
    party: 'operator',
    retry: 'never',
    advice: `mend ${file}; "gatehouse config schema up" (or "proxy") prints every key, "gatehouse config check FILE" tries a file`,
    problems,
  });
}
