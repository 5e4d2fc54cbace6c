import { relative } from 'node:path';
import type { TestEvent } from 'node:test/reporters';

/** Prints each failure as it happens, then one plain closing line. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for await (const { type, data } of events) {
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message;
    if (type === 'test:diagnostic' && /^(seed|measured)/.test(data.message)) yield `  ${data.message}\n`;
    // Files and suites only pass on what their tests say.
    const isGroup = (type === 'test:pass' || type === 'test:fail') && data.details.type === 'suite';
    if (type === 'test:pass' && !isGroup) {
      if (data.skip !== undefined) {
        skipped++;
        yield `skipped: ${data.name}${typeof data.skip === 'string' ? `: ${data.skip}` : ''}\n`;
      } else passed++;
    }
    if (type === 'test:fail' && !isGroup) {
      const error = data.details.error as Error & { failureType?: string };
      const cause = error.cause as { stack?: string; message?: string } | undefined;
      if (error.failureType === 'subtestsFailed') continue;
      failed++;
      const place = data.file === undefined ? '' : `${relative(process.cwd(), data.file)}:${data.line}`;
      yield `\nFAILED ${data.name}\n  ${place}\n${cause?.stack ?? cause?.message ?? String(error)}\n`;
    }
  }
  yield `\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
}
