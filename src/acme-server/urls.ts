/** The URLs of one profile, under one origin. */
export interface ProfileUrls {
  readonly base: string;
  readonly directory: string;
  account(id: string): string;
  orders(accountId: string): string;
  order(id: string): string;
  finalize(orderId: string): string;
  certificate(serial: string): string;
  authorization(id: string): string;
  challenge(authorizationId: string, type: string): string;
}

export function profileUrls(origin: string, profileId: string): ProfileUrls {
  const base = `${origin}/acme/profile/${profileId}`;
  return {
    base,
    directory: `${base}/directory`,
    account: (id) => `${base}/account/${id}`,
    orders: (accountId) => `${base}/account/${accountId}/orders`,
    order: (id) => `${base}/order/${id}`,
    finalize: (orderId) => `${base}/order/${orderId}/finalize`,
    certificate: (serial) => `${base}/certificate/${serial}`,
    authorization: (id) => `${base}/authz/${id}`,
    challenge: (authorizationId, type) => `${base}/authz/${authorizationId}/${type}`,
  };
}
