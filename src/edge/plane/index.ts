// plane owns the data plane: everything from an accepted plain or TLS socket onward, in HTTP/1.1 and HTTP/2, to the
// upstream and back. It refuses to know how a connection was accepted, where certificates come from, and who made a
// route.
export { createPlane } from './plane.ts';
export { defaultSettings } from './settings.ts';
export type {
  ClientIdentity,
  ConnectionInfo,
  ConnectionState,
  ListenerView,
  Plane,
  PlaneLimits,
  PlaneObserver,
  PlaneOptions,
  PlaneSettings,
  RefusalReason,
  RequestRecord,
  RouteSource,
  UpstreamState,
} from './types.ts';
