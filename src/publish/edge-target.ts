import { Fault, faultOf } from '../base/index.ts';
import type { PictureWriter } from '../picture/index.ts';
import type { PublishTarget } from './publish-target.ts';
import { groupDigest } from './route-group.ts';

const markOf = (group: string) => `group/${group}`;

/** The edge's own picture: what is committed there is served from the next handshake and request on. */
export function createEdgeTarget(picture: PictureWriter): PublishTarget {
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
            picture.replaceRoutes(group.id, group.routes);
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
