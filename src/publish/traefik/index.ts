import { createPublisher, type Publisher, type PublisherDeps } from '../publisher.ts';
import type { TraefikSettings } from './dynamic.ts';
import { createTraefikFileTarget, type TraefikFileSettings } from './file-target.ts';
import { createTraefikHttpTarget, type TraefikDocument } from './http-target.ts';

export type TraefikPublisherDeps = Omit<PublisherDeps, 'target'>;

/** Keeps a directory that Traefik's file provider watches. */
export const createTraefikFilePublisher = (deps: TraefikPublisherDeps, settings: TraefikFileSettings): Publisher =>
  createPublisher({ ...deps, target: createTraefikFileTarget(settings, deps.clock) });

/** Keeps the document that Traefik's HTTP provider asks for. */
export function createTraefikHttpPublisher(
  deps: TraefikPublisherDeps,
  settings: TraefikSettings = {},
): { publisher: Publisher; document: TraefikDocument } {
  const { target, document } = createTraefikHttpTarget(settings);
  return { publisher: createPublisher({ ...deps, target }), document };
}
