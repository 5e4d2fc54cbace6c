import type { AcmeAccountTables } from './acme-accounts.ts';
import type { AcmeAuthorizationTables } from './acme-authorizations.ts';
import type { AcmeLimitTables } from './acme-limits.ts';
import type { AcmeOrderTables } from './acme-orders.ts';
import type { AcmeProfileTables } from './acme-profiles.ts';
import type { AcmeReplicaTables } from './acme-replicas.ts';
import type { AcmeUpstreamTables } from './acme-upstream.ts';
import type { AppTables } from './apps.ts';
import type { AuditTables } from './audit.ts';
import type { CaTables } from './ca.ts';
import type { CertificateEventTables } from './certificate-events.ts';
import type { CertificateVersionTables } from './certificate-versions.ts';
import type { CertificateTables } from './certificates.ts';
import type { ChangeTables } from './changes.ts';
import type { ConversationTables } from './conversations.ts';
import type { DeliveryTables } from './deliveries.ts';
import type { DnsCredentialTables } from './dns-credentials.ts';
import type { DnsRecordTables } from './dns-records.ts';
import type { DomainImportTables } from './domain-imports.ts';
import type { DomainTables } from './domains.ts';
import type { ExposureTables } from './exposures.ts';
import type { IssuerAccountTables } from './issuer-accounts.ts';
import type { IssuerTables } from './issuers.ts';
import type { MissionTables } from './missions.ts';
import type { NetworkTables } from './networks.ts';
import type { OpenChallengeTables } from './open-challenges.ts';
import type { PeerTables } from './peers.ts';
import type { QuotaTables } from './quota.ts';
import type { SecretTables } from './secrets.ts';
import type { TokenTables } from './tokens.ts';
import type { VirtualIpTables } from './virtual-ips.ts';
import type { WebhookTables } from './webhooks.ts';

// Conventions, so that SQLite and PostgreSQL are one schema: times are integers, milliseconds since the Unix epoch;
// booleans are 0 or 1; structures are JSON text; binary is a blob. Each aggregate's file declares its own tables.
export interface Schema
  extends AcmeAccountTables,
    AcmeAuthorizationTables,
    AcmeLimitTables,
    AcmeOrderTables,
    AcmeProfileTables,
    AcmeReplicaTables,
    AcmeUpstreamTables,
    AppTables,
    AuditTables,
    CaTables,
    ChangeTables,
    DeliveryTables,
    DnsCredentialTables,
    DnsRecordTables,
    DomainImportTables,
    DomainTables,
    WebhookTables,
    CertificateEventTables,
    CertificateTables,
    CertificateVersionTables,
    ConversationTables,
    ExposureTables,
    IssuerAccountTables,
    IssuerTables,
    MissionTables,
    OpenChallengeTables,
    NetworkTables,
    PeerTables,
    QuotaTables,
    SecretTables,
    TokenTables,
    VirtualIpTables {}
