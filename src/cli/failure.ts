/** What ends a command: words for standard error, and the exit code. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;
  readonly advice: string | undefined;
  /** The API's problem document, for `--json`. */
  readonly problem: object | undefined;
  constructor(message: string, options: { exitCode?: number; advice?: string; problem?: object } = {}) {
    super(message);
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.advice = options.advice;
    this.problem = options.problem;
  }
}

/** What scripts may rely on. */
export const EXIT = {
  done: 0,
  failed: 1,
  /** Wrong words on the command line. */
  usage: 2,
  /** No server answers. */
  unreachable: 3,
  /** The token is missing, unknown, or lacks a permission. */
  notAllowed: 4,
  /** Waited for as long as it was told to. */
  timeout: 5,
} as const;
