// Imported before the provider: the library says on the console that its quick pages are for development, which is what they are used for here.
for (const level of ['info', 'warn'] as const) {
  const say = console[level];
  console[level] = (...words: unknown[]) => {
    if (!String(words[0]).includes('oidc-provider')) say(...words);
  };
}
