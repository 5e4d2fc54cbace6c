import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PluginTransformQueryArgs, PluginTransformResultArgs } from 'kysely';
import { createTestControl } from '../../test/fixtures/control.ts';
import { createVirtualClock, Fault } from '../base/index.ts';
import { ALL_PERMISSIONS } from '../contract/index.ts';
import { DEFAULT_POLICY, decideApproval } from '../missions/policy.ts';
import type { Standing } from '../store/missions.ts';
import type { Actor } from './actor.ts';
import { actorNames, standingOf } from './standing.ts';
import { SYSTEM } from './tokens.ts';

const START = 1_800_000_000_000;
const STRICT = { ...DEFAULT_POLICY, askerMayApprove: false };
const TWO = { ...DEFAULT_POLICY, approvals: 2 } as const;

async function world(t: TestContext) {
  const clock = createVirtualClock(START);
  const { store, control } = await createTestControl(clock);
  t.after(() => store.close());
  const { tokens } = control;
  const admin = await tokens.authenticate((await tokens.createFirst())!.token);
  const make = async (maker: Actor, name: string, person?: string): Promise<Actor> => {
    await clock.advance(1000);
    const belongs = person === undefined ? {} : { belongs_to: person };
    const { token } = await tokens.create(maker, { name, permissions: [...ALL_PERMISSIONS], ...belongs });
    return tokens.authenticate(token);
  };
  const openId = async (email: string, sub: string): Promise<Actor> => {
    const persons = [`openid:https://id.example#${sub}`, `person:${email}`];
    const { secret } = await tokens.signInAs(`user:${email}`, ALL_PERMISSIONS, persons);
    return tokens.session(secret);
  };
  const who = (actor: Actor) => standingOf(store.db, actor);
  /** What comes of it when `approvers` press one after another: the code of the last refusal, or whether it was enough. */
  const pressed = async (
    asker: Actor,
    approvers: readonly Actor[],
    policy: typeof STRICT | typeof TWO,
    proposedAt: number,
  ): Promise<string> => {
    const asked = {
      id: 'msn_1',
      status: 'proposed' as const,
      expires_at: proposedAt + 3_600_000,
      created_at: proposedAt,
      asked_by: asker.name,
      asker: JSON.stringify(await who(asker)),
      approvals_needed: policy.approvals,
    };
    const counted: Standing[] = [];
    let last = 'no press';
    for (const approver of await Promise.all(approvers.map(who)))
      try {
        const decision = decideApproval(asked, counted, approver, policy, proposedAt);
        if (!counted.some(({ actor }) => actor === approver.actor)) counted.push(approver);
        last = decision.kind === 'count' && decision.enough ? 'enough' : 'counted';
      } catch (error) {
        assert.ok(error instanceof Fault);
        last = error.code;
      }
    return last;
  };
  return { clock, store, control, admin, make, openId, who, pressed };
}

test('an approval is a person’s: no token of the asker, and none that comes from it, is another', async (t) => {
  const { clock, admin, make, openId, pressed, who } = await world(t);
  const machine = await make(SYSTEM, 'command line of this machine');
  const ann = await make(admin, 'ann laptop', 'ann@example.com');
  const annAgain = await make(admin, 'ann phone', ' Ann@Example.com');
  const bob = await make(admin, 'bob laptop', 'bob@example.com');
  const ci = await make(ann, 'ci');
  const minted = await make(ann, 'alter ego', 'nobody@example.com');
  const deep = await make(minted, 'alter ego of the alter ego', 'noone@example.com');
  const annSignedIn = await openId('ann@example.com', '7');
  const eve = await openId('eve@example.com', '8');
  const eveRenamed = await openId('eva@example.com', '8');
  const evesToken = await make(eve, 'eve cli');
  const proposedAt = clock.now() + 1;
  await clock.advance(10);
  const since = await make(admin, 'made since', 'carol@example.com');
  const bobsNew = await make(bob, 'bob cli');

  const alone: [asker: Actor, approver: Actor, outcome: string, why: string][] = [
    [ann, ann, 'own_mission', 'the same token'],
    [ann, annAgain, 'own_mission', 'another token of the same person'],
    [ann, annSignedIn, 'own_mission', 'the same person through OpenID'],
    [annSignedIn, ann, 'own_mission', 'and the other way round'],
    [ann, ci, 'own_mission', 'a token that the asker made'],
    [ann, minted, 'own_mission', 'one that the asker made in another name'],
    [ann, deep, 'own_mission', 'one that such a one made'],
    [ci, ann, 'own_mission', 'asked with a token that the approver made'],
    [minted, ann, 'own_mission', 'the same in another name'],
    [deep, ann, 'own_mission', 'the same twice over'],
    [ann, admin, 'own_mission', 'the maker of the token could have used it'],
    [ann, since, 'own_mission', 'made after the proposal by the maker of the token of the asker'],
    [admin, bob, 'own_mission', 'the first administrator made it'],
    [machine, admin, 'own_mission', 'whoever set this up has both'],
    [admin, machine, 'own_mission', 'and the other way round'],
    [ann, machine, 'own_mission', 'it can make what the first administrator makes'],
    [eve, eveRenamed, 'own_mission', 'a new name at the provider is no new person'],
    [eve, evesToken, 'own_mission', 'a token that somebody signed in made'],
    [evesToken, eve, 'own_mission', 'and the other way round'],
    [ann, bob, 'enough', 'another person'],
    [bob, ann, 'enough', 'and the other way round'],
    [ann, eve, 'enough', 'another person through OpenID'],
    [ann, evesToken, 'enough', 'a token of another person'],
    [ann, bobsNew, 'enough', 'a token that another person made, even since'],
    [eve, admin, 'enough', 'the first administrator did not make a person at the provider'],
  ];
  for (const [asker, approver, outcome, why] of alone) {
    assert.equal(await pressed(asker, [approver], STRICT, proposedAt), outcome, why);
    const second = outcome === 'enough' ? 'enough' : 'own_mission';
    assert.equal(
      await pressed(asker, [asker, approver], TWO, proposedAt),
      asker === approver ? 'counted' : second,
      why,
    );
    assert.equal(
      await pressed(asker, [approver, asker], TWO, proposedAt),
      asker === approver ? 'counted' : second,
      why,
    );
  }
  assert.equal(await pressed(eve, [bob, bobsNew], TWO, proposedAt), 'own_mission', 'two tokens of one approver');
  assert.equal(await pressed(eve, [bob, ann], TWO, proposedAt), 'enough', 'two others');
  assert.equal(await pressed(ann, [ci, minted, deep, annAgain], TWO, proposedAt), 'own_mission', 'none of the asker’s');
  assert.equal((await who(ci)).name, 'ci (ann@example.com)');
  assert.equal((await who(admin)).name, 'first administrator');
  assert.equal((await who(eve)).name, 'eve@example.com');
});

test('where only OpenID approves, no token does, whosever it is', async (t) => {
  const { clock, admin, make, openId, pressed } = await world(t);
  const [ann, bob] = [await make(admin, 'ann', 'ann'), await make(admin, 'bob', 'bob')];
  const eve = await openId('eve@example.com', '8');
  const policy = { ...STRICT, onlyOpenId: true };
  assert.equal(await pressed(ann, [bob], policy, clock.now()), 'not_vouched_for');
  assert.equal(await pressed(ann, [eve], policy, clock.now()), 'enough');
});

test('a list of tokens says whose each one is', async (t) => {
  const { control, admin, make } = await world(t);
  const ann = await make(admin, 'ann laptop', 'ann@example.com');
  await make(ann, 'ci');
  const { data } = await control.tokens.list(admin, {});
  assert.deepEqual(
    data.map(({ name, belongs_to }) => [name, belongs_to]),
    [
      ['ci', 'ann@example.com'],
      ['ann laptop', 'ann@example.com'],
      ['first administrator', 'first administrator'],
    ],
  );
});

test('the audit log names who acted, with as many queries as tokens made one another, and not one a row', async (t) => {
  const { store, control, make, openId, admin } = await world(t);
  const ann = await make(admin, 'laptop', 'ann@example.com');
  const robot = await make(ann, 'deploy');
  const user = await openId('bob@example.com', '7');
  for (let count = 0; count < 20; count++)
    await control.apps.create(robot, { id: `app-${count}`, upstreams: ['http://a'] });
  await control.apps.create(user, { id: 'last', upstreams: ['http://a'] });
  const { data } = await control.audit.list(admin, {});
  const nameOf = (name: string) => data.find(({ actor }) => actor === name)?.actor_name;
  assert.equal(nameOf(robot.name), 'deploy (ann@example.com)');
  assert.equal(nameOf(ann.name), 'laptop (ann@example.com)');
  assert.equal(nameOf(user.name), 'bob@example.com');
  let queries = 0;
  const counted = store.db.withPlugin({
    transformQuery({ node }: PluginTransformQueryArgs) {
      queries++;
      return node;
    },
    transformResult: async ({ result }: PluginTransformResultArgs) => result,
  });
  const name = await actorNames(
    counted as typeof store.db,
    data.map(({ actor }) => actor),
  );
  assert.equal(name('acme:gone'), 'acme:gone');
  assert.equal(name('token:tok_gone'), 'token:tok_gone');
  assert.ok(queries <= 3, `${queries} queries`);
});
