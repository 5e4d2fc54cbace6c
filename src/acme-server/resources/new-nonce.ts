import type { Resource } from '../call.ts';

/** RFC 8555 §7.2: 200 to HEAD, 204 to GET; the nonce is in the header, as in every answer. */
export const newNonce: Resource = {
  auth: 'none',
  methods: ['GET', 'HEAD'],
  answer: ({ request }) => ({
    status: request.method === 'HEAD' ? 200 : 204,
    headers: { 'Cache-Control': 'no-store' },
  }),
};
