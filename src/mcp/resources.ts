import type { Actor, Control } from '../control/index.ts';

/** What a model may read without calling anything. */
export interface Resource {
  readonly uri: string;
  readonly name: string;
  readonly description: string;
  read(control: Control, actor: Actor): Promise<unknown>;
}

const FIRST_PAGE = { limit: 200 };

export const RESOURCES: readonly Resource[] = [
  {
    uri: 'gatehouse://routes',
    name: 'Published routes',
    description: 'The routes that are published, and how far each publisher has them.',
    read: async (control, actor) => (await control.ingress.list(actor, FIRST_PAGE)).data,
  },
  {
    uri: 'gatehouse://certificates',
    name: 'Certificates',
    description: 'Certificates, where each stands and why.',
    read: async (control, actor) => (await control.certificates.list(actor, FIRST_PAGE)).data,
  },
  {
    uri: 'gatehouse://missions',
    name: 'Missions',
    description: 'Plans that wait for approval, run, or have ended.',
    read: async (control, actor) => (await control.missions.list(actor, FIRST_PAGE)).data,
  },
];

/** One of those lists' own things, by what stands after the list's address. */
export interface ResourceTemplate {
  readonly uriTemplate: string;
  readonly name: string;
  readonly description: string;
  /** The part of the address before the reference. */
  readonly prefix: string;
  read(control: Control, actor: Actor, reference: string): Promise<unknown>;
}

export const RESOURCE_TEMPLATES: readonly ResourceTemplate[] = [
  {
    uriTemplate: 'gatehouse://routes/{route}',
    name: 'A route',
    description: 'A published route, by its id.',
    prefix: 'gatehouse://routes/',
    read: (control, actor, reference) => control.ingress.get(actor, reference),
  },
  {
    uriTemplate: 'gatehouse://certificates/{certificate}',
    name: 'A certificate',
    description: 'A certificate and its versions, by its id or a name that it carries.',
    prefix: 'gatehouse://certificates/',
    read: (control, actor, reference) => control.certificates.get(actor, reference),
  },
  {
    uriTemplate: 'gatehouse://missions/{mission}',
    name: 'A mission',
    description: 'A plan and how far it is, by its id.',
    prefix: 'gatehouse://missions/',
    read: (control, actor, reference) => control.missions.get(actor, reference),
  },
];
