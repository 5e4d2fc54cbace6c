// picture owns the edge's local picture of what to serve: routes, certificates and open challenges, in one SQLite file
// that the control half writes and every edge worker reads. What is committed here is what is served, so the two halves
// need no conversation and either may be away. It refuses to know who wants a route and how a certificate is got.
export { createPictureReader, type PictureReader } from './reader.ts';
export type {
  HeaderRules,
  HealthRules,
  Redirect,
  RequestRules,
  ResponseRules,
  Route,
  RouteLimits,
  RouteTimeouts,
  Upstream,
  UpstreamTls,
} from './route.ts';
export type { OpenChallenge, PictureChange, ServedCertificate } from './types.ts';
export { createPictureWriter, type PictureWriter } from './writer.ts';
