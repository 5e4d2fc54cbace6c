// dns owns asking: one question to one server (UDP, TCP, HTTPS), zone cuts, authoritative servers, CAA, and what each
// party answers for a name. It refuses to know challenges, certificates and DNS providers, and it changes nothing.
export type { CaaLook, DnsViews, NameLook, View, ViewAnswer } from './views.ts';
