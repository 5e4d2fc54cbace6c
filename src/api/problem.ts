import { STATUS_CODES } from 'node:http';
import { Fault, type FaultDetails, type Party } from '../base/index.ts';

/** What an HTTP client sees when the fault names no status: who failed decides. */
const STATUS_OF: Readonly<Record<Party, number>> = {
  us: 500,
  client: 400,
  operator: 500,
  ca: 502,
  dns: 502,
  'dns-provider': 502,
  network: 502,
  upstream: 502,
  store: 503,
  'secret-store': 503,
  cluster: 503,
};

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A fault as an RFC 9457 problem document. A defect of ours is told without its inner words, which go to the log. */
export function problemAnswer(fault: Fault, now: number): ProblemAnswer {
  const { details } = fault;
  const status = details.status ?? STATUS_OF[details.party];
  const hidden = details.code === 'internal';
  const retryAt = typeof details.retry === 'object' ? details.retry.notBefore : undefined;
  const body = {
    type: `urn:gatehouse:problem:${details.code}`,
    title: titleOf(details.code, status),
    status,
    detail: hidden ? 'something went wrong here; the log of the server says what' : details.detail,
    code: details.code,
    ...(details.code === 'permission_missing'
      ? { missing_permission: details.field }
      : details.field !== undefined && { field: details.field }),
    failed_party: details.party,
    retry: retryAt === undefined ? String(details.retry) : new Date(retryAt).toISOString(),
    ...(details.advice !== undefined && { advice: details.advice }),
    ...(details.problems !== undefined && { errors: details.problems.map(entry) }),
  };
  return {
    status,
    headers: {
      ...(retryAt !== undefined && { 'retry-after': String(Math.max(1, Math.ceil((retryAt - now) / 1000))) }),
      // RFC 9110 §11.6.1: every 401 says how to do better.
      ...(status === 401 && { 'www-authenticate': 'Bearer realm="gatehouse"' }),
    },
    body,
  };
}

const entry = (problem: FaultDetails) => ({
  ...(problem.field !== undefined && { field: problem.field }),
  code: problem.code,
  detail: problem.detail,
  ...(problem.advice !== undefined && { advice: problem.advice }),
});

function titleOf(code: string, status: number): string {
  if (code === 'internal') return STATUS_CODES[status] ?? 'Error';
  const words = code.replaceAll(/[:_.-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

interface ValidationError {
  readonly instancePath: string;
  readonly keyword: string;
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly data?: unknown;
  readonly parentSchema?: { readonly description?: string };
}

/** What Fastify or a schema refused, as a fault; anything unknown stays a defect of ours. */
export function faultOfHttp(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  const { validation, validationContext, statusCode, code, message } = error as {
    validation?: readonly ValidationError[];
    validationContext?: string;
    statusCode?: number;
    code?: string;
    message?: string;
  };
  if (validation !== undefined) return invalidInput(validation, validationContext ?? 'body');
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  const word = (code ?? 'bad_request').replace(/^FST_ERR_/, '').toLowerCase();
  return new Fault({
    code: word,
    detail: message ?? 'bad request',
    party: 'client',
    retry: 'never',
    status: statusCode,
  });
}

const MOST_PROBLEMS = 20;

function invalidInput(errors: readonly ValidationError[], context: string): Fault {
  const problems = errors.slice(0, MOST_PROBLEMS).map((error): FaultDetails => {
    const field = fieldOf(error);
    const inQuery = context === 'querystring' ? 'the query: ' : '';
    return {
      code:
        error.keyword === 'required'
          ? 'missing_field'
          : error.keyword === 'additionalProperties'
            ? 'unknown_field'
            : 'invalid_field',
      detail: `${inQuery}${field === '' ? 'the body' : field} ${reasonOf(error)}`,
      party: 'client',
      retry: 'never',
      ...(field !== '' && { field }),
    };
  });
  const first = problems[0];
  return new Fault({
    code: first?.code ?? 'invalid_field',
    detail: problems.map(({ detail }) => detail).join('; '),
    party: 'client',
    retry: 'never',
    status: 422,
    ...(first?.field !== undefined && { field: first.field }),
    problems,
  });
}

/** `upstreams[0].url`, as people write a path. */
function fieldOf({ instancePath, keyword, params }: ValidationError): string {
  const extra =
    keyword === 'required'
      ? params.missingProperty
      : keyword === 'additionalProperties'
        ? params.additionalProperty
        : undefined;
  const segments = instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (typeof extra === 'string') segments.push(extra.slice(0, 100));
  return segments.reduce(
    (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
    '',
  );
}

function reasonOf({ keyword, params, message, parentSchema }: ValidationError): string {
  switch (keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return 'is not known here';
    case 'enum':
      return `is not one of ${(params.allowedValues as readonly unknown[]).join(', ')}`;
    case 'type':
      return `is not of type ${String(params.type)}`;
    case 'pattern':
      return `is not ${parentSchema?.description ?? 'of the right form'}`;
    default:
      return message ?? 'is not accepted';
  }
}
