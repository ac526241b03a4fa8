import type { Page } from '@playwright/test';
import { email, logIn, openForm, password, press, send } from '../support/actions';
import { linkIn } from '../support/mail-server';
import { newPerson, type Program } from '../support/program';
import { expect, test } from '../support/test';

// Accounts with mail: a real mail server receives the mails, and their links are opened.

test.use({ provokedStatuses: [401, 403, 409, 410, 422, 429] });

const NEW_PASSWORD = 'copper lantern meadow 4';

async function forget(page: Page, program: Program, address: string): Promise<void> {
  await page.goto(`${program.origin}/login/forgot-password`);
  await email(page).fill(address);
  await press(page, 'Send link');
  await expect(page.getByRole('status')).toContainText('a mail with a link is on its way');
}

test('somebody creates an account, proves the address, is approved, forgets the password and sets a new one', async ({ page, browser, withMail }) => {
  const { program, mail } = await withMail();
  const boss = await program.createUser('--admin');
  const person = newPerson();

  await page.goto(`${program.origin}/login`);
  await page.getByRole('link', { name: 'Create account' }).click();
  await openForm(page, page.url());
  await send(page, person, 'Create account');
  await expect(page.getByRole('status')).toContainText('We have sent a mail');

  await logIn(page, person, `${program.origin}/login`);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Waiting for approval');
  const proof = await mail.mailTo(person.email, /Confirm your address/);
  expect(proof.from?.text).toBe('"MediaManager" <media@example.org>');
  expect(proof.headers.get('auto-submitted')).toBe('auto-generated');
  expect(proof.messageId).toMatch(/^<[0-9a-f-]{36}@localhost>$/);
  expect(Math.abs((proof.date?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  expect(proof.html).toContain(linkIn(proof).replaceAll('&', '&amp;'));
  await page.goto(linkIn(proof));
  await press(page, 'Confirm the address');
  await expect(page.getByRole('status')).toHaveText('Your address is confirmed.');
  await mail.mailTo(boss.email, /Somebody waits/);

  expect((await program.run(['user', 'approve', person.email])).printed).toContain('is approved');
  await page.getByRole('link', { name: 'Check again' }).click();
  await expect(page).toHaveURL(`${program.origin}/account`);

  const elsewhere = await (await browser.newContext()).newPage();
  await forget(elsewhere, program, person.email);
  const reset = linkIn(await mail.mailTo(person.email, /New password/));
  await openForm(elsewhere, reset);
  await expect(elsewhere, 'the token has left the address bar').toHaveURL(`${program.origin}/login/reset-password`);
  await expect(email(elsewhere)).toHaveValue(person.email);
  await password(elsewhere).fill('short');
  expect((await press(elsewhere, 'Set password')).status()).toBe(422);
  await expect(elsewhere.getByText('Use at least 12 characters.')).toBeVisible();
  await password(elsewhere).fill(NEW_PASSWORD);
  await press(elsewhere, 'Set password');
  await expect(elsewhere.getByRole('status')).toHaveText('Your password is changed. Log in with the new one.');
  await mail.mailTo(person.email, /was changed/);

  await page.reload();
  await expect(page, 'logged out everywhere else').toHaveURL(/\/login\?return_to=/);
  await logIn(page, { ...person, password: NEW_PASSWORD }, `${program.origin}/login`);
  await expect(page).toHaveURL(`${program.origin}/account`);
  await page.goto(reset);
  await expect(page.getByText('This link is not valid any more')).toBeVisible();
  await elsewhere.context().close();
});

for (const options of [
  { tls: 'starttls' as const },
  { tls: 'implicit' as const },
  { tls: 'starttls' as const, wantsLogin: false },
  { tls: 'none' as const, wantsLogin: false },
]) {
  test(`mail goes out over ${JSON.stringify(options)}`, async ({ page, withMail }) => {
    const { program, mail } = await withMail(options);
    const person = await program.createUser();
    await forget(page, program, person.email);
    await openForm(page, linkIn(await mail.mailTo(person.email, /New password/)));
    await expect(email(page)).toHaveValue(person.email);
    expect(mail.logins).toEqual(options.wantsLogin === false ? [] : ['media@example.org encrypted']);
    const tried = await program.run(['mail', 'test', 'operator@example.org']);
    expect(tried.printed).toMatch(/^Sending to operator@example\.org over localhost:\d+, .*\nAccepted: 250 /);
    expect(tried.code).toBe(0);
    await mail.mailTo('operator@example.org', /Test mail/);
  });
}

for (const [trouble, words] of [
  ['greylisting', /Not sent: .*450.*come back later.*would be tried again/],
  ['refusal', /Not sent: .*550.*no such mailbox.*would be given up/],
  ['drop', /Not sent: .*would be tried again/],
] as const) {
  test(`mail trouble is the operator's, never the visitor's: ${trouble}`, async ({ page, withMail }) => {
    const { program } = await withMail({ trouble });
    const person = await program.createUser();
    await forget(page, program, person.email);
    const tried = await program.run(['mail', 'test', 'operator@example.org']);
    expect(tried.printed).toMatch(words);
    expect(tried.code).toBe(1);
    await expect(() => expect(program.output).toMatch(trouble === 'refusal' ? /mail_failed/ : /mail_retry_scheduled/)).toPass();
    expect(program.output).not.toContain('reset-password?token=');
  });
}

test('a mail server that says nothing keeps nobody waiting', async ({ page, withMail }) => {
  const { program } = await withMail({ trouble: 'silence' });
  const person = await program.createUser();
  await forget(page, program, person.email);
});

test('a certificate that nobody vouches for gets neither mail nor password', async ({ freshProgram, withMail }) => {
  const { mail } = await withMail();
  const program = await freshProgram(mail.settings.replace(/^smtp_ca_file.*$/m, ''));
  const tried = await program.run(['mail', 'test', 'operator@example.org']);
  expect(tried.printed).toMatch(/Not sent: .*certificate/i);
  expect([mail.logins, mail.mails]).toEqual([[], []]);
});

test('a server without TLS gets neither mail nor password unless it is allowed to', async ({ freshProgram, withMail }) => {
  const { mail } = await withMail({ tls: 'none' });
  const program = await freshProgram(mail.settings.replace('use_tls = false', 'use_tls = true'));
  const tried = await program.run(['mail', 'test', 'operator@example.org']);
  expect(tried.printed).toMatch(/Not sent: .*TLS/i);
  expect([mail.logins, mail.mails]).toEqual([[], []]);
});

test('the operator hands over a link without any mail', async ({ page, program }) => {
  const person = await program.createUser();
  const made = await program.run(['user', 'reset-link', person.email]);
  await openForm(page, linkInOutput(made.printed));
  await password(page).fill(NEW_PASSWORD);
  await press(page, 'Set password');
  await expect(page.getByRole('status')).toHaveText('Your password is changed. Log in with the new one.');
  await logIn(page, { ...person, password: NEW_PASSWORD });
  await expect(page).toHaveURL('/account');
  expect((await program.run(['user', 'reset-link', newPerson().email])).code).toBe(1);
});

function linkInOutput(printed: string): string {
  return /http:\S+token=\S+/.exec(printed)?.[0] ?? `no link in ${printed}`;
}

test('the operator sees whether the mail server takes our login before anybody waits for a mail', async ({ withMail }) => {
  const { program } = await withMail();
  const { code, printed } = await program.run(['check']);
  expect(printed).toMatch(/^ok +mail: localhost:\d+ takes our login$/m);
  expect(printed).toMatch(/^ok +frontend_url: .* leads to this program$/m);
  expect(code).toBe(0);
});
