// process owns child processes of ours: start, readiness, restart with backoff, replacement without a gap, drain, end;
// and the child's own side of that conversation. It refuses to know what a child is for, and never looks into what is
// said between parent and child beyond its envelope.
export { type ChildProgram, type ParentLink, type RunningChild, runChild } from './child-side.ts';
export { planRestart, type RestartPlan, type RunEnd } from './plan-restart.ts';
export {
  type ChildSpec,
  type ChildState,
  createSupervised,
  type Supervised,
  type SupervisedDeps,
} from './supervised.ts';
export { FIRST_INHERITED_FD } from './wire.ts';
