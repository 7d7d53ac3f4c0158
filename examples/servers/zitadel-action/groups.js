// A ZITADEL action that puts a claim `groups` into tokens, as a list: for products that
// cannot read ZITADEL's role objects (Harbor, Argo CD, Grafana, --oidc-groups-claim).
//
// Add it under the name `groups`, which is the function's, to the flow "Complement Token",
// triggers "Pre Userinfo creation" and "Pre access token creation". It runs for every token
// of the organisation: leave "allowed to fail" on, or an error in it stops all logins.
//
// Without the scope urn:zitadel:iam:org:projects:roles in the request (`roles = true`)
// ctx.v1.user.grants is null here, and the list is empty.
//
// Replace the two IDs. Try it: a JWT of `zitadel-credential token --roles --project ID` has
// the claim.
function groups(ctx, api) {
  // The projects whose roles count: a token may name any project.
  const projects = ["317240000000000001"];
  // The organisation whose grants count.
  const organisation = "311000000000000001";
  const held = (ctx.v1.user.grants && ctx.v1.user.grants.grants) || [];
  const list = [];
  held.forEach(function (grant) {
    if (projects.indexOf(grant.projectId) < 0 || grant.userGrantResourceOwner !== organisation) return;
    grant.roles.forEach(function (role) {
      list.push(role);
    });
  });
  api.v1.claims.setClaim("groups", list);
}
