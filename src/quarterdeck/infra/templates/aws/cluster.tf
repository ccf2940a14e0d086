locals {
  clusters = var.cluster == null ? 0 : 1
  # Karpenter comes as the automatic mode of EKS, which runs it outside of the cluster.
  automatic = var.cluster == null ? false : var.cluster.provider_config.enable_karpenter
  cluster_policies = concat(
    ["AmazonEKSClusterPolicy"],
    local.automatic ? [
      "AmazonEKSComputePolicy", "AmazonEKSBlockStoragePolicy", "AmazonEKSLoadBalancingPolicy", "AmazonEKSNetworkingPolicy",
    ] : [],
  )
  node_policies = local.automatic ? ["AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly"] : [
    "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly",
  ]
  cluster_admins = var.cluster == null ? {} : {
    for admin in var.cluster.cluster_admins : admin.username => (
      startswith(admin.username, "arn:") ? admin.username :
      "arn:${local.partition}:iam::${local.account}:user/${admin.username}"
    )
  }
}

resource "aws_iam_role" "cluster" {
  count = local.clusters
  name  = "${local.name}-cluster"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "eks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each   = toset(var.cluster == null ? [] : local.cluster_policies)
  role       = aws_iam_role.cluster[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value}"
}

resource "aws_iam_role" "nodes" {
  count = local.clusters
  name  = "${local.name}-nodes"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "nodes" {
  for_each   = toset(var.cluster == null ? [] : local.node_policies)
  role       = aws_iam_role.nodes[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.value}"
}

resource "aws_eks_cluster" "main" {
  count                         = local.clusters
  name                          = local.name
  version                       = var.cluster.cluster_version
  role_arn                      = aws_iam_role.cluster[0].arn
  bootstrap_self_managed_addons = !local.automatic

  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  vpc_config {
    subnet_ids              = local.private_subnets
    endpoint_private_access = true
    endpoint_public_access  = true
    public_access_cidrs     = length(var.network.allowed_cidr_blocks) == 0 ? null : var.network.allowed_cidr_blocks
  }

  dynamic "compute_config" {
    for_each = local.automatic ? [1] : []
    content {
      enabled       = true
      node_pools    = ["general-purpose", "system"]
      node_role_arn = aws_iam_role.nodes[0].arn
    }
  }

  dynamic "kubernetes_network_config" {
    for_each = local.automatic ? [1] : []
    content {
      elastic_load_balancing {
        enabled = true
      }
    }
  }

  dynamic "storage_config" {
    for_each = local.automatic ? [1] : []
    content {
      block_storage {
        enabled = true
      }
    }
  }

  depends_on = [aws_iam_role_policy_attachment.cluster]
}

resource "aws_eks_node_group" "main" {
  count           = local.automatic ? 0 : local.clusters
  cluster_name    = aws_eks_cluster.main[0].name
  node_group_name = "${local.name}-main"
  node_role_arn   = aws_iam_role.nodes[0].arn
  subnet_ids      = local.private_subnets
  instance_types  = length(var.cluster.instance_types) == 0 ? ["t3.large"] : var.cluster.instance_types

  scaling_config {
    min_size     = var.cluster.node_min_size
    max_size     = var.cluster.node_max_size
    desired_size = var.cluster.node_desired_size
  }

  depends_on = [aws_iam_role_policy_attachment.nodes]
}

resource "aws_eks_access_entry" "admin" {
  for_each      = local.cluster_admins
  cluster_name  = aws_eks_cluster.main[0].name
  principal_arn = each.value
}

resource "aws_eks_access_policy_association" "admin" {
  for_each      = local.cluster_admins
  cluster_name  = aws_eks_cluster.main[0].name
  principal_arn = aws_eks_access_entry.admin[each.key].principal_arn
  policy_arn    = "arn:${local.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

  access_scope {
    type = "cluster"
  }
}
