document.querySelector("tollgate-form").addEventListener("verified", async ({ detail }) => {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ proof: detail.proof });
  const answer = await fetch("/sign-up", { method: "POST", headers, body });
  document.querySelector("output").textContent = answer.ok ? "Welcome." : "That did not work.";
});
