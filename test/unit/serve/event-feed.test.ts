import { expect, test } from 'vitest';
import { EventFeed, type FeedEntry } from '../../../core/serve/event-feed.ts';

const never = new AbortController().signal;

async function all(events: AsyncGenerator<FeedEntry>): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of events) texts.push(text);
  return texts;
}

test('who follows a run gets what was told before, what comes, and no more after its end', async () => {
  const feed = new EventFeed();
  feed.publish('a', 'submitted', 'a1');
  feed.publish('b', 'submitted', 'b1');
  const following = all(feed.follow({ run: 'a', signal: never }));
  feed.publish('a', 'progress', 'a2');
  feed.publish('a', 'ended', 'a3');
  feed.publish('a', 'note', 'a4');
  expect(await following).toEqual(['a1', 'a2', 'a3']);
});

test('who comes back with the last id gets only later events, and of a run that is over the end at once', async () => {
  const feed = new EventFeed();
  for (const [type, text] of [['submitted', '1'] as const, ['note', '2'] as const, ['ended', '3'] as const]) feed.publish('a', type, text);
  expect(await all(feed.follow({ run: 'a', after: 1, signal: never }))).toEqual(['2', '3']);
  expect(await all(feed.follow({ run: 'a', after: 3, isOver: true, signal: never }))).toEqual([]);
});

test('the end of a run that was taken up again is none any more', async () => {
  const feed = new EventFeed();
  for (const type of ['submitted', 'ended', 'resumed', 'ended'] as const) feed.publish('a', type, type);
  expect(await all(feed.follow({ run: 'a', signal: never }))).toEqual(['resumed', 'ended']);
});

test('who follows all runs gets what comes from now on, until the feed is closed or they go', async () => {
  const feed = new EventFeed();
  feed.publish('a', 'submitted', 'before');
  const gone = new AbortController();
  const first = all(feed.follow({ signal: gone.signal }));
  const second = all(feed.follow({ signal: never }));
  await Promise.resolve();
  feed.publish('a', 'ended', 'a');
  await new Promise((resolve) => setImmediate(resolve));
  gone.abort();
  feed.publish('b', 'submitted', 'b');
  feed.close();
  expect(await first).toEqual(['a']);
  expect(await second).toEqual(['a', 'b']);
  expect(await all(feed.follow({ signal: never }))).toEqual([]);
});

test('a follower that falls behind is cut off, and misses nothing of what it gets', async () => {
  const feed = new EventFeed();
  const following = feed.follow({ signal: never });
  const first = following.next();
  for (let number = 0; number < 5000; number++) feed.publish('a', 'progress', String(number));
  expect((await first).value).toMatchObject({ text: '0' });
  const rest = await all(following);
  expect(rest.length).toBeLessThan(2000);
  expect(rest).toEqual(rest.map((_, index) => String(index + 1)));
});
