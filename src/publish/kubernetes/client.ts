import { Agent, request } from 'undici';
import { errorText, Fault } from '../../base/index.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { FIELD_MANAGER, type Kind, type KubeObject, resourcePath } from './objects.ts';

/** The few calls that we make of an API server. Every failure is a `Fault` of party `cluster`. */
export interface KubeClient {
  get(kind: Kind, namespace: string, name: string): Promise<KubeObject | undefined>;
  /** Every object that the labels select, read in pages, and the version of the collection for a watch from there. */
  list(kind: Kind, namespace: string, labels?: Readonly<Record<string, string>>): Promise<KubeList>;
  /** Server-side apply: creates, or makes the fields given here ours and as they are here. Answers what is there then. */
  apply(object: KubeObject, namespace: string): Promise<KubeObject>;
  /** Nothing to remove is no failure. With `uid`, another object of the same name is left alone. */
  remove(kind: Kind, namespace: string, name: string, uid?: string): Promise<void>;
  /** Events from a version on, until the server ends it, or the signal aborts. Throws a `Fault` of code `expired_version`. */
  watch(kind: Kind, namespace: string, options: WatchOptions): AsyncGenerator<WatchEvent>;
  close(): Promise<void>;
}

export interface KubeList {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

export interface WatchOptions {
  readonly resourceVersion: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

const PAGE = 500;
const MOST_BODY_BYTES = 64 * 1024 * 1024;
const MOST_EVENT_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 30_000;
/** A watch is ended by the server after about this long, so that one whose connection died in silence is noticed. */
const WATCH_SECONDS = 300;

export function createKubeClient(access: ClusterAccess): KubeClient {
  const agent = new Agent({
    connections: 16,
    connect: {
      ...(access.ca !== undefined && { ca: access.ca }),
      ...(access.insecure === true && { rejectUnauthorized: false }),
      ...access.clientCertificate,
    },
  });
  const send = async (
    method: 'GET' | 'PATCH' | 'DELETE',
    path: string,
    options: { body?: unknown; type?: string; signal?: AbortSignal; bodyTimeout?: number } = {},
  ) => {
    const { body, type, signal, bodyTimeout = TIMEOUT_MS } = options;
    try {
      return await request(`${access.server}${path}`, {
        method,
        dispatcher: agent,
        headersTimeout: TIMEOUT_MS,
        bodyTimeout,
        headers: {
          accept: 'application/json',
          ...(body !== undefined && { 'content-type': type ?? 'application/json' }),
          ...(access.token !== undefined && { authorization: `Bearer ${access.token()}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw unreachable(access.server, error);
    }
  };
  const call = async (...given: Parameters<typeof send>): Promise<{ status: number; body: unknown }> => {
    const { statusCode, body } = await send(...given);
    const parsed = parseJson(await boundedText(body, MOST_BODY_BYTES));
    if (statusCode >= 400 && statusCode !== 404) throw refused(given[0], given[1], statusCode, parsed);
    return { status: statusCode, body: parsed };
  };

  return {
    async get(kind, namespace, name) {
      const { status, body } = await call('GET', resourcePath(kind, namespace, name));
      return status === 404 ? undefined : (body as KubeObject);
    },
    async list(kind, namespace, labels) {
      const items: KubeObject[] = [];
      for (let next = ''; ; ) {
        const query = new URLSearchParams({
          limit: String(PAGE),
          ...selector(labels),
          ...(next && { continue: next }),
        });
        const path = `${resourcePath(kind, namespace)}?${query}`;
        const { status, body } = await call('GET', path);
        if (status === 404) throw refused('GET', path, status, body);
        const page = body as { items?: KubeObject[]; metadata?: { continue?: string; resourceVersion?: string } };
        items.push(...(page.items ?? []));
        next = page.metadata?.continue ?? '';
        if (next === '') return { items, resourceVersion: page.metadata?.resourceVersion ?? '' };
      }
    },
    async apply(object, namespace) {
      const path = `${resourcePath(object.kind as Kind, namespace, object.metadata.name)}?fieldManager=${FIELD_MANAGER}&force=true`;
      const { status, body } = await call('PATCH', path, { body: object, type: 'application/apply-patch+yaml' });
      if (status === 404) throw refused('PATCH', path, status, body);
      return body as KubeObject;
    },
    async remove(kind, namespace, name, uid) {
      const body = { kind: 'DeleteOptions', apiVersion: 'v1', ...(uid !== undefined && { preconditions: { uid } }) };
      await call('DELETE', resourcePath(kind, namespace, name), { body });
    },
    async *watch(kind, namespace, { resourceVersion, labels, signal }) {
      const query = new URLSearchParams({
        watch: '1',
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(WATCH_SECONDS),
        resourceVersion,
        ...selector(labels),
      });
      const path = `${resourcePath(kind, namespace)}?${query}`;
      const { statusCode, body } = await send('GET', path, { signal, bodyTimeout: (WATCH_SECONDS + 30) * 1000 });
      if (statusCode !== 200)
        throw refused('GET', path, statusCode, parseJson(await boundedText(body, MOST_BODY_BYTES)));
      for await (const line of linesOf(body)) {
        const event = parseJson(line) as { type?: string; object?: KubeObject & { code?: number } };
        if (event.type === 'ERROR') throw refused('GET', path, event.object?.code ?? 500, event.object);
        if (event.type !== undefined && event.object !== undefined) yield event as WatchEvent;
      }
    },
    close: () => agent.close(),
  };
}

const selector = (labels: Readonly<Record<string, string>> | undefined): Record<string, string> =>
  labels === undefined
    ? {}
    : {
        labelSelector: Object.entries(labels)
          .map(([key, value]) => `${key}=${value}`)
          .join(','),
      };

async function boundedText(body: AsyncIterable<Buffer>, most: number): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of body) {
    length += piece.length;
    if (length > most) throw new Error(`the API server's answer is longer than ${most} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const piece of body) {
    rest += decoder.decode(piece, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop()!;
    if (rest.length > MOST_EVENT_BYTES)
      throw new Error(`an event of the API server is longer than ${MOST_EVENT_BYTES} bytes`);
    yield* lines.filter((line) => line !== '');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: text.slice(0, 300) };
  }
}

const unreachable = (server: string, error: unknown) =>
  new Fault(
    {
      code: 'cluster_unreachable',
      detail: `the API server ${server} could not be reached: ${errorText(error)}`,
      party: 'cluster',
      retry: 'backoff',
      advice:
        'see that the address in the kubeconfig is right, and that its certificate authority is the one given there',
    },
    error,
  );

/** What the API server says of itself is passed on; it never contains what was sent. */
function refused(method: string, path: string, status: number, body: unknown): Fault {
  const { message, reason } = (body ?? {}) as { message?: string; reason?: string };
  const what = `${method} ${path.split('?', 1)[0]}`;
  const common = { detail: `${what}: ${message ?? reason ?? `status ${status}`}`, party: 'cluster' as const };
  if (status === 410) return new Fault({ ...common, code: 'expired_version', retry: 'backoff' });
  if (status === 403 || status === 401)
    return new Fault({
      ...common,
      code: 'cluster_forbidden',
      retry: 'backoff',
      advice: 'apply deploy/k8s/rbac.yaml, or give the account of the kubeconfig what it grants',
    });
  if (status === 404)
    return new Fault({
      ...common,
      code: 'cluster_lacks_kind',
      retry: 'backoff',
      advice: 'install the custom resource definitions of Traefik and cert-manager, and create the namespace',
    });
  // Validation and admission refuse the same object again; everything else may pass by itself.
  return new Fault({
    ...common,
    code: 'cluster_refused',
    retry: status === 422 || status === 400 ? 'never' : 'backoff',
  });
}
