#!/usr/bin/env node
import { useCodeCache } from '../start/code-cache.ts';

useCodeCache();
void import('./command-line.ts').then(
  ({ runCommandLine }) => runCommandLine(),
  (error: unknown) => {
    process.exitCode = 1;
    throw error;
  },
);
