import { type Resource, requirePostAsGet } from '../call.ts';
import { orderObject, requireOrder } from '../orders.ts';

/** RFC 8555 §7.1.3, §7.4. */
export const order: Resource = {
  auth: 'kid',
  async answer(call) {
    requirePostAsGet(call);
    const found = await requireOrder(call, call.parameters[0]!);
    const body = orderObject(found, call.urls, call.now);
    return { status: 200, body, ...(body.status === 'processing' && { headers: { 'Retry-After': '1' } }) };
  },
};
