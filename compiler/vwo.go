package compiler

import (
	"github.com/expr-lang/expr/ast"

	"github.com/metricsjob/metricsjob/compiler/sqlast"
)

// vwoNamespace is the namespace of VWO's accounts: the version 5 UUID of
// https://vwo.com among URLs.
const vwoNamespace = "11E13CD76C4853EC86797E9C752273C5"

// vwoWebID matches the ids of VWO's web testing, which stand for themselves.
const vwoWebID = "^[DJ][0-9A-Fa-f]{32}$"

// vwoUUID checks vwo_uuid(user_id, account).
func (c *checker) vwoUUID(at int, args []ast.Node) checked {
	bad := checked{node: NilNode{}, at: at}
	if _, ok := c.scope.(pathScope); !ok {
		c.fail(at, "unknown-function", "vwo_uuid makes the id of a unit, and stands only in the columns of a source").
			WithHint("write it there: units: {user: 'vwo_uuid(user_id, \"12345\")'}")
		return bad
	}
	if len(args) != 2 {
		c.fail(at, "expression-type", "vwo_uuid takes the id of a user and the account, not %d values", len(args)).
			WithHint(`write vwo_uuid(user_id, "12345")`)
		return bad
	}
	user, account := c.idText(args[0]), c.idText(args[1])
	return checked{VWOUUIDNode{user.node, account.node}, TextType, at, user.ok && account.ok}
}

// idText checks an argument that is an id: a text, or a whole number, whose
// digits are taken.
func (c *checker) idText(n ast.Node) checked {
	x := c.check(n)
	if x.ok && x.typ == NumberType {
		return checked{CallNode{"text", x.node, NumberType}, TextType, x.at, true}
	}
	return c.operand(x, TextType, "vwo_uuid()")
}

// vwoUUID gives the id by which VWO knows a user: the version 5 UUID of the
// user's id among those of the account, which is one itself, as 32 digits.
func (w sqlWriter) vwoUUID(n VWOUUIDNode) sqlValue {
	present := func(id Node) sqlast.Expr { return sqlCall(sqlast.NullIf, w.value(id).x, sqlast.Text("")) }
	user := present(n.User)
	namespace := sqlCall(sqlast.UUID5, sqlast.Text(vwoNamespace), present(n.Account))
	return sqlValue{x: sqlast.Case{
		Whens: []sqlast.When{{If: sqlCall(sqlast.RegexMatch, user, sqlast.Text(vwoWebID)), Then: user}},
		Else:  sqlCall(sqlast.UUID5, namespace, user),
	}, null: true}
}
