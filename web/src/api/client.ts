/** An RFC 9457 problem document of the API, as an error that says itself in words. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly advice: string | undefined;
  readonly missingPermission: string | undefined;
  readonly errors: readonly { field?: string; detail: string }[];
  constructor(status: number, body: ProblemBody) {
    super(body.detail ?? body.title ?? `the server answered ${status}`);
    this.status = status;
    this.code = body.code ?? '';
    this.advice = body.advice;
    this.missingPermission = body.missing_permission;
    this.errors = body.errors ?? (body.field === undefined ? [] : [{ field: body.field, detail: this.message }]);
  }
}

interface ProblemBody {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly field?: string;
  readonly advice?: string;
  readonly missing_permission?: string;
  readonly errors?: readonly { field?: string; detail: string }[];
}

export interface Page<Row> {
  readonly data: readonly Row[];
  /** Absent where a list is short and always whole. */
  readonly page?: { readonly next_cursor: string | null };
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * Calls the API with the session cookie. The header is what makes a forged cross-site request impossible: a form cannot
 * set it, and a script of another origin may not.
 */
export function call<Answer>(method: Method, path: string, body?: unknown): Promise<Answer> {
  return send(method, path, body === undefined ? undefined : ['application/json', JSON.stringify(body)]);
}

/** The same, with a body that is not JSON. */
export const callText = <Answer>(path: string, type: string, text: string) => send<Answer>('POST', path, [type, text]);

async function send<Answer>(
  method: Method,
  path: string,
  body?: readonly [type: string, text: string],
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        'x-gatehouse-console': '1',
        ...(body !== undefined && { 'content-type': body[0] }),
      },
      ...(body !== undefined && { body: body[1] }),
    });
  } catch {
    throw new Problem(0, {
      detail: 'Gatehouse does not answer',
      code: 'unreachable',
      advice: 'it is tried again by itself',
    });
  }
  if (response.status === 204) return undefined as Answer;
  const answer: unknown = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem(response.status, answer as ProblemBody);
  return answer as Answer;
}

export const get = <Answer>(path: string) => call<Answer>('GET', path);

/** `?a=1&b=2` of what is set. */
export function queryText(values: Readonly<Record<string, string | number | undefined | null>>): string {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)]))}`;
}
