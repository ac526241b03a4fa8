import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AddressObject, type ParsedMail, simpleParser } from 'mailparser';
import { generate } from 'selfsigned';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface MailServerOptions {
  /** How TLS begins; `none` is a server that has none. */
  tls?: 'starttls' | 'implicit' | 'none';
  /** Takes mail only after a login. */
  wantsLogin?: boolean;
  /** What goes wrong: a temporary refusal, a refusal for good, a connection cut in the middle, or silence. */
  trouble?: 'greylisting' | 'refusal' | 'drop' | 'silence';
}

const USER = 'media@example.org';
const PASSWORD = 'the password of the mail server';

/** A real SMTP server (npm `smtp-server`) on loopback, with a certificate authority of its own. */
export class MailServer {
  readonly mails: ParsedMail[] = [];
  /** Every login that was tried, so that a test can see that none was over plain text. */
  readonly logins: string[] = [];
  private port = 0;

  private constructor(private readonly options: MailServerOptions, private readonly server: SMTPServer, private readonly directory: string) {}

  static async start(options: MailServerOptions = {}): Promise<MailServer> {
    const { tls = 'starttls', wantsLogin = true, trouble } = options;
    const directory = await mkdtemp(join(tmpdir(), 'mail-server-'));
    const altNames = [{ type: 2, value: 'localhost' } as const];
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], { algorithm: 'sha256', extensions: [{ name: 'subjectAltName', altNames }] });
    await writeFile(join(directory, 'ca.pem'), cert);
    const configuration: SMTPServerOptions = {
      key,
      cert,
      secure: tls === 'implicit',
      hideSTARTTLS: tls === 'none',
      authOptional: !wantsLogin,
      allowInsecureAuth: false,
      disabledCommands: wantsLogin ? [] : ['AUTH'],
      logger: false,
      onAuth: (login, session, done) => {
        mail.logins.push(`${login.username} ${session.secure ? 'encrypted' : 'in clear'}`);
        if (login.username === USER && login.password === PASSWORD) done(null, { user: USER });
        else done(new Error('no such login'));
      },
      onConnect: (_session, done) => {
        if (trouble === 'silence') return;
        done();
      },
      onRcptTo: (_address, _session, done) => {
        if (trouble === 'greylisting') done(Object.assign(new Error('come back later'), { responseCode: 450 }));
        else if (trouble === 'refusal') done(Object.assign(new Error('no such mailbox'), { responseCode: 550 }));
        else done();
      },
      onData: (stream, _session, done) => {
        if (trouble === 'drop') {
          stream.once('data', () => server.connections.forEach(connection => (connection as unknown as { _socket: { destroy(): void } })._socket.destroy()));
        }
        simpleParser(stream).then(parsed => {
          mail.mails.push(parsed);
          done();
        }, done);
      },
    };
    const server = new SMTPServer(configuration);
    // Clients that give up are part of the tests.
    server.on('error', () => {});
    const mail: MailServer = new MailServer(options, server, directory);
    server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    mail.port = (server.server.address() as AddressInfo).port;
    return mail;
  }

  /** What the operator writes for it. */
  get settings(): string {
    const { tls = 'starttls', wantsLogin = true } = this.options;
    return `
[auth]
email_password_resets = true

[notifications.smtp_config]
smtp_host = "localhost"
smtp_port = ${this.port}
smtp_user = "${wantsLogin ? USER : ''}"
smtp_password = "${wantsLogin ? PASSWORD : ''}"
from_email = "media@example.org"
use_tls = ${tls !== 'none'}

[server]
smtp_implicit_tls = ${tls === 'implicit'}
smtp_ca_file = "${join(this.directory, 'ca.pem')}"
`;
  }

  /** The next mail to this address with this subject; it is taken out. */
  async mailTo(address: string, subject: RegExp): Promise<ParsedMail> {
    for (let tries = 0; tries < 1000; tries += 1) {
      const index = this.mails.findIndex(mail => (mail.to as AddressObject).text === address && subject.test(mail.subject ?? ''));
      const [found] = index < 0 ? [] : this.mails.splice(index, 1);
      if (found) return found;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
    throw new Error(`no mail ${subject} to ${address}, only: ${this.mails.map(mail => mail.subject).join(', ')}`);
  }

  async stop(): Promise<void> {
    for (const connection of this.server.connections) (connection as unknown as { _socket: { destroy(): void } })._socket.destroy();
    await new Promise<void>(resolve => this.server.close(() => resolve()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The one link in a mail that leads to the program. */
export function linkIn(mail: ParsedMail): string {
  const link = /^http:\/\/localhost:\d+\/\S+$/m.exec(mail.text ?? '')?.[0];
  if (!link) throw new Error(`no link in ${mail.text}`);
  return link;
}
