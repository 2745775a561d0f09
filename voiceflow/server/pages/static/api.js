// Requests to the server. Every failure is a Refused, with messages that can be shown.

const API = "/api/v1";

export class Refused extends Error {
  /** problems: a list of {file?, line?, column?, message, hint}. */
  constructor(status, problems, retryAfter = 0) {
    super(problems.map((one) => one.message).join(" "));
    Object.assign(this, { status, problems, retryAfter });
  }
}

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

export async function send(method, path, body) {
  let answer;
  try {
    answer = await fetch(API + path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
    });
  } catch {
    const hint = "Is the computer awake, and the phone on the same network?";
    throw new Refused(0, [{ message: "The server cannot be reached.", hint }]);
  }
  const told = await answer.json().catch(() => ({}));
  if (answer.ok) return told;
  throw refusal(answer, told);
}

function refusal(answer, told) {
  if (answer.status === 401) {
    const hint = "Scan the code in the terminal.";
    return new Refused(401, [{ message: "This phone is not paired any more.", hint }]);
  }
  const retry = Number(told.retry_after ?? answer.headers.get("Retry-After") ?? 2);
  const problems = told.errors?.length
    ? told.errors
    : [{ message: answer.status === 503 ? "The server is busy." : `The request failed (${answer.status}).`, hint: told.hint ?? "" }];
  return new Refused(answer.status, problems, answer.status === 503 ? retry : 0);
}

/** Like send, but tries again while the server is busy, and calls `waiting` each time. */
export async function sendInTurn(method, path, body, waiting) {
  for (let turn = 0; ; turn++) {
    try {
      return await send(method, path, body);
    } catch (error) {
      if (error.status !== 503 || turn >= 20) throw error;
      waiting?.(error.retryAfter);
      await pause(Math.min(Math.max(error.retryAfter, 1), 15));
    }
  }
}
