import type { Difference } from 'dray/sdk';

/** What reading and writing over SFTP have of their own, beside what all files have. */
export const sftpDifferences: readonly Difference[] = [
  { what: '`protocol`', datax: 'ftp or sftp, and must be there', here: 'sftp, also if it is left out; plain FTP is refused' },
  {
    what: 'the key of the server',
    datax: 'is not looked at',
    here: 'must be in known_hosts or in `hostKey`',
    tell: { option: 'hostKey', when: 'absent' },
  },
  { what: 'login', datax: 'a password', here: 'a password, a private key or an agent' },
];
