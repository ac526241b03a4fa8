import './quiet-provider';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import OidcProvider, { type ClientAuthMethod, type ClientMetadata, type Configuration, type JWK } from 'oidc-provider';

type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

export interface ProviderOptions {
  /** What stands on the button and in the redirect URI. */
  name?: string;
  algorithm?: Algorithm;
  authMethod?: ClientAuthMethod;
  /** Whether it vouches for people's addresses. */
  confirmsAddresses?: boolean;
  /** Puts the address into the ID token too, and not only into userinfo. */
  claimsInIdToken?: boolean;
}

const CLIENT_ID = 'mediamanager';
const BASIC = 'client_secret_basic';

/** A certified OpenID provider (npm `oidc-provider`) on loopback, with its own login and consent pages. Whoever logs in there
 * with an address has that address. */
export class TestProvider {
  readonly name: string;
  private readonly secret = randomBytes(24).toString('base64url');
  private keys: JWK[];
  private server: Server | undefined;
  private handle: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  private client: { redirectUri: string; origin: string } | undefined;
  private port = 0;
  private stopsAt: string | undefined;

  private constructor(private readonly options: ProviderOptions) {
    this.name = options.name ?? 'Test ID';
    this.keys = [newKey(options.algorithm ?? 'RS256')];
  }

  static async start(options: ProviderOptions = {}): Promise<TestProvider> {
    const provider = new TestProvider(options);
    await provider.listen();
    provider.build();
    return provider;
  }

  /** Not 'localhost', where cookies of the program under test would come along. */
  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What the operator writes for it. */
  get settings(): string {
    return `
[auth.openid_connect]
enabled = true
client_id = "${CLIENT_ID}"
client_secret = "${this.secret}"
configuration_endpoint = "${this.issuer}/.well-known/openid-configuration"
name = "${this.name}"
`;
  }

  /** Makes the program a client, with the redirect URI that it has printed. */
  register(redirectUri: string, origin: string): void {
    this.client = { redirectUri, origin };
    this.build();
  }

  /** Signs with a new key from now on, and publishes no other. */
  rotateKeys(): void {
    this.keys = [newKey(this.options.algorithm ?? 'RS256')];
    this.build();
  }

  /** Stops in the very moment in which the program asks for this path. */
  stopAt(path: string): void {
    this.stopsAt = path;
  }

  async stop(): Promise<void> {
    if (!this.server) return;
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeAllConnections();
    this.server = undefined;
    await closed;
  }

  /** Listens again where it listened before. */
  async listen(): Promise<void> {
    this.stopsAt = undefined;
    this.server = createServer((request, response) => {
      if (this.stopsAt !== undefined && request.url === this.stopsAt) void this.stop();
      else if (this.handle) this.handle(request, response);
      else response.writeHead(503).end();
    }).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  private build(): void {
    const { algorithm = 'RS256', authMethod = BASIC, confirmsAddresses = true, claimsInIdToken = false } = this.options;
    const configuration: Configuration = {
      clients: this.client ? [this.asClient(this.client.redirectUri, this.client.origin)] : [],
      clientAuthMethods: [authMethod],
      enabledJWA: { idTokenSigningAlgValues: [algorithm] },
      jwks: { keys: this.keys },
      cookies: { keys: ['only for these tests'] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      conformIdTokenClaims: !claimsInIdToken,
      features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true } },
      pkce: { required: () => true },
      // Its guard against addresses of the own network would keep it from saying anything to a program on loopback.
      fetch: (url, options) => fetch(url, Object.assign({ ...options }, { dispatcher: undefined })),
      findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: confirmsAddresses, name: 'Somebody' }) }),
    };
    this.handle = new OidcProvider(this.issuer, configuration).callback();
  }

  private asClient(redirectUri: string, origin: string): ClientMetadata {
    return {
      client_id: CLIENT_ID,
      client_secret: this.secret,
      redirect_uris: [redirectUri],
      post_logout_redirect_uris: [`${origin}/login`],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: this.options.authMethod ?? BASIC,
      id_token_signed_response_alg: this.options.algorithm ?? 'RS256',
      backchannel_logout_uri: `${origin}/api/v1/auth/oidc/backchannel-logout`,
      backchannel_logout_session_required: true,
    };
  }
}

function newKey(algorithm: Algorithm): JWK {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : algorithm === 'EdDSA'
        ? generateKeyPairSync('ed25519')
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid: randomBytes(6).toString('hex'), use: 'sig', alg: algorithm } as JWK;
}
