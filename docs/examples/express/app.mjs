// A service that asks Mandate before it answers: Express and HTTP, nothing else.
//
//     MANDATE_URL=https://pdp.example MANDATE_TOKEN=... PORT=8000 node app.mjs

import express from "express";

const { MANDATE_URL, MANDATE_TOKEN, PORT } = process.env;

// What the server decides (AuthZEN 1.0). Whatever is no decision is an error, never a yes.
async function allowed(token, subject, action, resource) {
  const [, type, id] = /^([^:]+):(.+)$/.exec(subject);
  const answer = await fetch(`${MANDATE_URL}/access/v1/evaluation`, {
    method: "POST",
    redirect: "error",
    signal: AbortSignal.timeout(5000),
    headers: {
      // The service's own access token, whose audience is the server's.
      authorization: `Bearer ${MANDATE_TOKEN}`,
      "content-type": "application/json",
      // Who the subject is, is not believed: its own token proves it.
      "mandate-subject-token": token,
    },
    body: JSON.stringify({ subject: { type, id }, action: { name: action }, resource }),
  });
  if (answer.status !== 200) throw new Error(`no decision: ${answer.status}`);
  return (await answer.json()).decision === true;
}

// Lets through who may do this to the object that the path names.
const may = (action, type) => async (request, response, next) => {
  const [, token] = /^bearer (.+)$/i.exec(request.get("authorization") ?? "") ?? [];
  const subject = request.get("subject") ?? "";
  if (!token || !/^[^:]+:./.test(subject)) {
    return response.status(401).set("WWW-Authenticate", "Bearer").end();
  }
  try {
    const decision = await allowed(token, subject, action, { type, id: request.params.id });
    return decision ? next() : response.status(403).end();
  } catch {
    return response.status(503).end("no decision is possible now");
  }
};

const app = express();
app.get("/boards/:id", may("view", "board"), (request, response) => {
  response.json({ board: request.params.id });
});
app.listen(Number(PORT), "127.0.0.1");
