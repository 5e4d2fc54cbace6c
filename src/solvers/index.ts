// solvers owns how control of a name is shown: an answer on port 80 (http-01), in a handshake (tls-alpn-01), in DNS (dns/).
// It refuses to know why a name is wanted and who asks; what makes an answer visible is a port.
export { createHttp01Solver } from './http-01.ts';
export type { ChallengePresenter } from './presenter.ts';
export { createSharedPresenter, type OwnEdge } from './shared-presenter.ts';
export { createChallengeCertificate, createTlsAlpn01Solver } from './tls-alpn-01.ts';
