import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { script } from '../../fixtures/client-ground.ts';
import { needPypiProgram } from '../../fixtures/pypi.ts';
import { temporaryDirectory } from '../../fixtures/temporary.ts';
import { certbotStory } from './certbot.ts';

test('newest certbot does all that and issues for an address and renews by renewal information', async (t) => {
  const program = needPypiProgram(t, 'certbot', 'certbot==5.8.0');
  if (program === undefined) return;
  // The program's own first line names where its environment was made, from which it was moved.
  const python = join(dirname(program), 'python');
  const certbot = script(join(temporaryDirectory(t), 'certbot'), `#!/bin/sh\nexec ${python} ${program} "$@"\n`);
  await certbotStory(t, certbot, { newer: true });
});
