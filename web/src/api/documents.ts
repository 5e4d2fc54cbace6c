// The API's own schemas, as types: the console has no second description of what the server answers.
export type {
  App,
  AuditEvent,
  AuditVerdict,
  Certificate,
  CertificateDetail,
  CertificateEvent,
  CertificateVersion,
  CreatedToken,
  Domain,
  Issuer,
  Permission,
  SystemStatus,
  Token,
} from '../../../src/contract/index.ts';
export { PERMISSIONS } from '../../../src/contract/permissions.ts';
