import { Fault } from '../base/index.ts';

/** A document in the API's words. */
export type Document = Readonly<Record<string, unknown>> & { readonly id: string };

export interface PageRequest {
  /** The id after which the page begins. */
  readonly after?: string;
  readonly limit: number;
  /** Only of this network, by id or name. */
  readonly network?: string;
}

/** A kind of thing that is listed, looked at, made and removed. */
export interface Collection {
  /** In order of id. */
  list(page: PageRequest): Promise<Document[]>;
  /** By id, or by name where names are unique. */
  get(reference: string): Promise<Document | undefined>;
  /** Throws a `Fault` that names each wrong field. */
  create(input: Readonly<Record<string, unknown>>): Promise<Document>;
  /** Throws a `Fault` of status 409 that names what still needs it. */
  remove(reference: string): Promise<void>;
}

export const time = (ms: number): string => new Date(ms).toISOString();

export function missing(what: string, reference: string): Fault {
  return new Fault({
    code: `${what.replaceAll(' ', '_')}_not_found`,
    detail: `there is no ${what} ${reference.slice(0, 200)}`,
    party: 'client',
    retry: 'never',
    status: 404,
  });
}

export function inUse(what: string, name: string, users: readonly string[], advice: string): Fault {
  return new Fault({
    code: `${what.replaceAll(' ', '_')}_in_use`,
    detail: `the ${what} ${name} is needed by ${users.slice(0, 5).join(', ')}${users.length > 5 ? ', …' : ''}`,
    party: 'client',
    retry: 'never',
    status: 409,
    advice,
  });
}
