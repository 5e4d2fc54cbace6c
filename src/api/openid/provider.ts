import * as oidc from 'openid-client';
import { type Clock, Fault } from '../../base/index.ts';
import type { Permission } from '../../contract/index.ts';
import { permissionsOfGroups } from './permissions.ts';

export interface OpenIdSettings {
  /** Issuer identifier; its discovery document is at `/.well-known/openid-configuration` below it. */
  readonly issuer: string;
  readonly clientId: string;
  /** Absent: a public client, which proves itself by PKCE alone. */
  readonly clientSecret?: string;
  readonly scopes: readonly string[];
  /** Claim with the names of a person's groups. */
  readonly groupsClaim: string;
  readonly groups: readonly { readonly group: string; readonly permissions: readonly (Permission | '*')[] }[];
  /** What the button says. */
  readonly title: string;
}

/** What the browser keeps between leaving for the provider and coming back. */
export interface PendingSignIn {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

export interface Person {
  /** Name in the audit log. */
  readonly subject: string;
  readonly permissions: Permission[];
  /** What tells this person from others: issuer and `sub`, which never change, and the name that tokens may use. */
  readonly persons: readonly string[];
}

export interface OpenIdProvider {
  readonly title: string;
  /** Where to send the browser. Throws a `Fault` when the provider cannot be reached. */
  begin(redirectUri: string): Promise<{ url: URL; pending: PendingSignIn }>;
  /** Who came back, and what they may do. Throws a `Fault` of status 401 or 403. */
  finish(callback: URL, pending: PendingSignIn): Promise<Person>;
}

const TIMEOUT_SECONDS = 10;
const DISCOVERY_GOOD_MS = 3_600_000;

/** Authorization code flow with PKCE (OpenID Connect Core §3.1, RFC 7636), by a certified library. */
export function createOpenIdProvider(settings: OpenIdSettings, clock: Clock): OpenIdProvider {
  let known: { readonly config: oidc.Configuration; readonly at: number } | undefined;

  async function configuration(): Promise<oidc.Configuration> {
    if (known !== undefined && clock.now() - known.at < DISCOVERY_GOOD_MS) return known.config;
    const issuer = new URL(settings.issuer);
    // Loopback is for trying it out; anywhere else a provider without TLS could be anybody.
    const plain = issuer.protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(issuer.hostname);
    try {
      const config = await oidc.discovery(
        issuer,
        settings.clientId,
        undefined,
        settings.clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(settings.clientSecret),
        { timeout: TIMEOUT_SECONDS, ...(plain && { execute: [oidc.allowInsecureRequests] }) },
      );
      known = { config, at: clock.now() };
      return config;
    } catch (error) {
      throw new Fault(
        {
          code: 'openid_unreachable',
          detail: `the OpenID provider ${settings.issuer} cannot be asked: ${(error as Error).message}`,
          party: 'upstream',
          retry: 'backoff',
          advice: 'try again, or sign in with a token; check openid.issuer in the configuration',
        },
        error,
      );
    }
  }

  return {
    title: settings.title,
    async begin(redirectUri) {
      const config = await configuration();
      const pending = {
        state: oidc.randomState(),
        nonce: oidc.randomNonce(),
        verifier: oidc.randomPKCECodeVerifier(),
      };
      const url = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: settings.scopes.join(' '),
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(pending.verifier),
        code_challenge_method: 'S256',
      });
      return { url, pending };
    },
    async finish(callback, pending) {
      const config = await configuration();
      const tokens = await oidc
        .authorizationCodeGrant(config, callback, {
          expectedState: pending.state,
          expectedNonce: pending.nonce,
          pkceCodeVerifier: pending.verifier,
          idTokenExpected: true,
        })
        .catch((error: unknown) => {
          throw new Fault(
            {
              code: 'openid_refused',
              detail: `the OpenID provider did not vouch for you: ${(error as Error).message}`,
              party: 'upstream',
              retry: 'never',
              status: 401,
              advice: 'sign in again',
            },
            error,
          );
        });
      const claims: Record<string, unknown> = { ...tokens.claims() };
      if (claims[settings.groupsClaim] === undefined)
        // Some providers tell groups only when they are asked for the user.
        Object.assign(claims, await userInfo(config, tokens.access_token, String(claims.sub)));
      return personOf(claims, settings);
    },
  };
}

async function userInfo(config: oidc.Configuration, accessToken: string, subject: string): Promise<object> {
  if (config.serverMetadata().userinfo_endpoint === undefined) return {};
  return oidc.fetchUserInfo(config, accessToken, subject).catch(() => ({}));
}

function personOf(claims: Readonly<Record<string, unknown>>, settings: OpenIdSettings): Person {
  const email = claims.email_verified === false ? undefined : claims.email;
  const name = [email, claims.preferred_username, claims.sub].find((each) => typeof each === 'string');
  const permissions = permissionsOfGroups(claims[settings.groupsClaim], settings.groups);
  if (permissions.length === 0)
    throw new Fault({
      code: 'openid_no_permission',
      detail: `${String(name)} is in no group that has a permission here`,
      party: 'client',
      retry: 'never',
      status: 403,
      advice: `ask for a group that openid.groups of the configuration names: ${settings.groups.map(({ group }) => group).join(', ')}`,
    });
  const shown = String(name).slice(0, 200);
  // OpenID Connect Core §5.7: only `iss` and `sub` together are stable and unique.
  const persons = [`openid:${settings.issuer}#${String(claims.sub)}`, `person:${shown.toLowerCase()}`];
  return { subject: `user:${shown}`, permissions, persons };
}
