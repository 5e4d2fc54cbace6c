import type { Clock, Logger } from '../base/index.ts';
import type { Store } from '../store/index.ts';
import type { FactPorts } from './facts.ts';
import type { PlanSettings } from './plan-expose.ts';
import type { ProbePort, PublishPort } from './ports.ts';

export interface IngressDeps extends FactPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly publish: PublishPort;
  readonly probe: ProbePort;
  readonly edge: PlanSettings['edge'];
}
