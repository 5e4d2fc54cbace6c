import { Component, type ReactNode } from 'react';
import { Failure } from '../components/states.tsx';

interface State {
  readonly problem?: unknown;
}

/** A page that cannot be shown (its file did not arrive, say) leaves the rest of the console standing. */
export class Boundary extends Component<{ readonly children: ReactNode }, State> {
  override state: State = {};

  static getDerivedStateFromError(problem: unknown): State {
    return { problem };
  }

  override render(): ReactNode {
    if (this.state.problem === undefined) return this.props.children;
    return <Failure problem={this.state.problem} retry={() => window.location.reload()} />;
  }
}
