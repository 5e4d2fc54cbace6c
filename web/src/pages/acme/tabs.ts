export const ACME_TABS = [
  { path: '/certificates', title: 'Certificates' },
  { path: '/issuers', title: 'Issuers' },
  { path: '/dns-credentials', title: 'DNS credentials' },
  { path: '/profiles', title: 'Our CA' },
  { path: '/accounts', title: 'Accounts' },
];
