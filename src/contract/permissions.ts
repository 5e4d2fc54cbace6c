/** Every permission and what it allows, in words for help texts and the console. */
export const PERMISSIONS = {
  'apps.read': 'see apps and their domains',
  'apps.manage': 'create, change and delete apps, and claim, verify and remove domains',
  'system.ingress.read': 'see the routes that are published',
  'system.ingress.manage': 'propose to expose a service, and publish again',
  'system.acme.read': 'see certificates, issuers, profiles, accounts and DNS credentials',
  'system.acme.manage': 'issue, renew and revoke certificates, and manage issuers, profiles and DNS credentials',
  'system.network.manage': 'see and change networks, peers, virtual IPs and port mappings',
  'missions.approve': 'approve or reject missions',
  'audit.read': 'read and verify the audit log',
  'tokens.manage': 'create, list and revoke tokens',
} as const;

export type Permission = keyof typeof PERMISSIONS;

export const isPermission = (text: string): text is Permission => Object.hasOwn(PERMISSIONS, text);
export const ALL_PERMISSIONS = Object.keys(PERMISSIONS) as readonly Permission[];
