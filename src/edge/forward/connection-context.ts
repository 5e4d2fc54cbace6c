import { type Fields, fieldsOf, type Head } from '../message/head.ts';
import type { ConnectionInfo } from '../plane/types.ts';
import type { HostRoutes } from '../routing/host-routes.ts';
import { hostOf } from '../routing/route-table.ts';
import { type ConnectionFields, createConnectionFields } from './connection-fields.ts';
import type { Core } from './core.ts';
import type { Service } from './service.ts';

/** Of the ids that we make. */
const ID_LENGTH = 32;
const NONE = Buffer.alloc(0);

/** What the requests of one connection share: who the client is, and the host they ask for as long as it is the same. */
export class ConnectionContext {
  readonly core: Core;
  readonly info: ConnectionInfo;
  readonly fields: ConnectionFields;
  authority = '';
  host = '';
  routes: HostRoutes<Service> | undefined;
  private authorityBytes = NONE;
  private generation = -1;
  private idFields: Fields | undefined;
  private idName = '';

  constructor(core: Core, info: ConnectionInfo) {
    this.core = core;
    this.info = info;
    this.fields = createConnectionFields(info, core.trusted);
  }

  /** Finds the routes of the head's host; most requests of a connection ask for the same as the one before. */
  readHost(head: Head): void {
    const { table } = this.core;
    const bytes = this.authorityBytes;
    const same =
      this.generation === table.generation &&
      head.authorityEnd - head.authorityStart === bytes.length &&
      head.bytes.compare(bytes, 0, bytes.length, head.authorityStart, head.authorityEnd) === 0;
    if (same) return;
    this.authority = head.authority();
    this.authorityBytes = Buffer.from(this.authority, 'latin1');
    this.host = hostOf(this.authority);
    this.generation = table.generation;
    this.routes = table.lookup(this.host);
  }

  /** The id of a request as a field. One field serves all of a connection, since it is written out at once. */
  idField(name: string, id: string): Fields {
    let { idFields } = this;
    if (idFields === undefined || id.length !== ID_LENGTH || this.idName !== name) {
      idFields = fieldsOf([[name, id]]);
      if (id.length !== ID_LENGTH) return idFields;
      this.idFields = idFields;
      this.idName = name;
    } else idFields.bytes.write(id, name.length + 2, 'latin1');
    return idFields;
  }

  /** Whether the handshake was for this host too. */
  agrees(): boolean {
    const { serverName, covers } = this.info;
    return serverName === undefined || serverName === this.host || covers?.(this.host) === true;
  }
}
