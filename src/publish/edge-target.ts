import { Fault, faultOf } from '../base/index.ts';
import type { PictureWriter, Route } from '../picture/index.ts';
import type { PublishTarget } from './publish-target.ts';
import { groupDigest, type RouteGroup } from './route-group.ts';

const markOf = (group: string) => `group/${group}`;

/** The edge's own picture: what is committed there is served from the next handshake and request on. */
export function createEdgeTarget(picture: PictureWriter, httpsPort = 443): PublishTarget {
  const groupOfRoute = (id: string) => id.split('/', 1)[0]!;
  return {
    name: 'edge',
    async inventory() {
      const groups = new Set([...picture.routeIds()].map(groupOfRoute));
      return [...groups, ...picture.certificateVersions().keys()];
    },
    holds: (item) => picture.certificateVersion(item) ?? picture.mark(markOf(item)),
    async deliver({ groups, certificates, gone }) {
      try {
        picture.batch(() => {
          for (const item of gone) {
            picture.deleteCertificate(item);
            picture.replaceRoutes(item, []);
            picture.dropMark(markOf(item));
          }
          for (const certificate of certificates) picture.putCertificate(certificate);
          for (const group of groups) {
            picture.replaceRoutes(
              group.id,
              group.routes.map((route) => atOurPort(route, group, httpsPort)),
            );
            picture.setMark(markOf(group.id), groupDigest(group));
          }
        });
        return new Map();
      } catch (error) {
        throw new Fault(
          {
            code: 'picture_unwritable',
            detail: `the edge's picture could not be written: ${faultOf(error).details.detail}`,
            party: 'us',
            retry: 'backoff',
            advice: 'see that the disk of the data directory is not full, and that it may be written',
          },
          error,
        );
      }
    },
  };
}

/** From one name of an app to another is from one of ours to another, so the redirect names the port that we are at. */
function atOurPort(route: Route, { origin }: RouteGroup, port: number): Route {
  if (route.redirect === undefined || origin.kind !== 'domain' || port === 443) return route;
  const to = new URL(route.redirect.to);
  to.port = String(port);
  return { ...route, redirect: { ...route.redirect, to: to.href.replace(/\/$/, '') } };
}
