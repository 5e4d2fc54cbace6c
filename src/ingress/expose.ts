import { createProblems } from '../base/index.ts';
import type { JsonObject, MissionKind, MissionPlan } from '../missions/index.ts';
import { findExposure, updateExposure } from '../store/exposures.ts';
import { recordChange } from '../store/index.ts';
import type { IngressDeps } from './deps.ts';
import { gatherExposeFacts } from './facts.ts';
import { DEFAULT_PORT, parseExposeInputs } from './inputs.ts';
import { planExpose } from './plan-expose.ts';
import { resolvedExposure } from './resolved.ts';
import { getCertificate } from './step-certificate.ts';
import { makePortMapping } from './step-port-mapping.ts';
import { probeService } from './step-probe.ts';
import { composeProxy } from './step-proxy.ts';
import { makeVirtualIp } from './step-virtual-ip.ts';

/** Virtual IP, port mapping, certificate, proxy configuration, and a look at the outcome. */
export function exposeKind(deps: IngressDeps): MissionKind {
  return {
    kind: 'expose_service_publicly',
    description: 'give an internal service a stable public endpoint, with TLS',
    async plan(input) {
      const problems = createProblems();
      const inputs = parseExposeInputs(input, problems);
      const facts = await gatherExposeFacts(deps.store.db, deps, inputs);
      const settings = { edge: deps.edge, isGlobal: deps.overlay.isGlobal };
      return planExpose(inputs, facts, settings, deps.clock.now(), problems);
    },
    runners: [
      { step: 'virtual_ip', run: (context) => makeVirtualIp(deps, context) },
      { step: 'port_mapping', run: (context) => makePortMapping(deps, context) },
      { step: 'certificate', run: (context) => getCertificate(deps, context) },
      { step: 'proxy', run: (context) => composeProxy(deps, context) },
      { step: 'probe', run: (context) => probeService(deps, context) },
    ],
    result,
    async failed({ plan }) {
      const { hostname, protocol } = resolvedExposure(plan);
      await deps.store.write(async (tx) => {
        const row = await findExposure(tx, hostname, protocol);
        if (row === undefined) return;
        await updateExposure(tx, row.id, { status: 'incomplete' }, deps.clock.now());
        await recordChange(tx, 'route', row.id, deps.clock.now());
      });
    },
  };
}

function result(plan: MissionPlan, made: Readonly<Record<string, JsonObject>>): JsonObject {
  const { hostname, protocol, listen_port } = resolvedExposure(plan);
  const port = listen_port === DEFAULT_PORT[protocol] ? '' : `:${listen_port}`;
  return {
    status: 'exposed',
    exposure_id: made.virtual_ip?.exposure_id ?? null,
    virtual_ip_id: made.virtual_ip?.virtual_ip_id ?? null,
    port_mapping_id: made.port_mapping?.port_mapping_id ?? null,
    certificate_id: made.certificate?.certificate_id ?? null,
    public_endpoints: [`${protocol}://${hostname}${port}/`],
    looks: made.probe?.looks ?? [],
  };
}
